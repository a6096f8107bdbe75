"""The generator of BigGAN: every block hears of the label and of a part of the latent of its own."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import not_negative, positive
from .convolution import Conv
from .linear import Linear
from .pyramid import Shape, pyramid, reach_of
from .resnet_gan import grouped, ups
from .standing import StandingNorm, standing


class Generator(nnx.Module):
    """`z: f32[latent]`, `y: f32[classes]` -> `f32[h, w, c]`.

    z is cut into one part for the first layer and one for each block; a block's norms are scaled and shifted
    by its part beside `y' E`, one embedding E shared by all of them.
    """

    def __init__(self, shape: Shape, latent: int, classes: int, width: int, norm, rngs: nnx.Rngs):
        grids = pyramid(shape, width)
        self.grid, self.parts = grids[0], len(grids) + 1
        first, *rest = (len(part) for part in self.cut(jnp.zeros(latent)))
        draws = jax.random.normal(rngs.params(), (classes, width))
        self.embedding = nnx.Param(draws) if classes else None
        shared = width if classes else 0
        self.first = Linear(first, math.prod(self.grid), rngs=rngs)
        self.blocks = ups(shape, width, [shared + part for part in rest], rngs, norm)
        self.norm = norm(width, 0, rngs)
        self.last = Conv(width, shape[2], rngs, reach_of(shape))

    def cut(self, z):
        return jnp.array_split(z, self.parts)

    def __call__(self, z, y, *statistics):
        first, *rest = self.cut(z)
        shared = [] if self.embedding is None else [y @ self.embedding[...]]
        x = self.first(first).reshape(self.grid)
        for block, part in zip(self.blocks, rest, strict=True):
            x = block(x, jnp.concatenate([*shared, part]), *statistics)
        return self.last(jax.nn.relu(self.norm(x, None, *statistics)))


def generator(
    shape: Shape, latent: int, classes: int = 0, width: int = 32, references: int = 0
) -> Network:
    """BigGAN's generator as a `Network`, `(f32[latent], f32[classes]) -> f32[*shape]`, unbounded.

    Its critic is that of `resnet_gan`. Without `references` norms are over groups of channels of ONE example;
    with them over a batch of so many fixed latents, normal, their labels in turn, by whose statistics every
    example is `standing`. Either way training and sampling compute the same.

    Brock et al. (2018), arXiv:1809.11096. Raises ValueError if a size is less than one, `latent` has no
    number for each part, 4 does not divide `width` without references, or these are fewer than two or the
    classes.
    """
    positive("biggan", latent=latent, width=width)
    not_negative("biggan", references=references)
    if latent < (parts := len(pyramid(shape, width)) + 1):
        raise ValueError(
            f"biggan: got latent={latent} for {parts} parts, wanted a number for each at least; pass more"
        )
    if 0 < references < classes:
        raise ValueError(
            f"biggan: got {references} references of {classes} classes, wanted one of each at least; pass 64"
        )
    norm = StandingNorm if references else grouped
    network = from_nnx(lambda rngs: Generator(shape, latent, classes, width, norm, rngs))
    if not references:
        return network
    z = jax.random.normal(jax.random.key(0), (references, latent))
    y = jax.nn.one_hot(jnp.arange(references) % max(classes, 1), classes)
    return standing(network, z, y)
