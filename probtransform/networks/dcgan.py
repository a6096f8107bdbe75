"""The deep convolutional generator and critic: strided convolutions, no pooling, no hidden linear layer."""

from __future__ import annotations

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import Conv, Doubling, Halving
from .linear import Linear
from .norm import GroupNorm
from .projection import Projection
from .pyramid import Shape, pyramid, reach_of

GROUPS = 4


class Generator(nnx.Module):
    """`z: f32[latent]`, `y: f32[classes]` -> `f32[h, w, c]`: doublings, each normed and rectified."""

    def __init__(self, shape: Shape, latent: int, classes: int, width: int, rngs: nnx.Rngs):
        grids = pyramid(shape, width)
        self.grid = grids[0]
        self.first = Linear(latent + classes, math.prod(self.grid), rngs=rngs)
        self.norm = GroupNorm(grids[0][2], GROUPS, rngs)
        self.doublings = nnx.List([Doubling(a[2], b[2], rngs) for a, b in pairwise(grids)])
        self.norms = nnx.List([GroupNorm(b[2], GROUPS, rngs) for b in grids[1:]])
        self.last = Conv(width, shape[2], rngs, reach_of(shape))

    def __call__(self, z, y):
        x = self.first(jnp.concatenate([z, y])).reshape(self.grid)
        x = jax.nn.relu(self.norm(x))
        for doubling, norm in zip(self.doublings, self.norms, strict=True):
            x = jax.nn.relu(norm(doubling(x)))
        return self.last(x)


class Critic(nnx.Module):
    """`f32[h, w, c]`, `y: f32[classes]` -> a logit: halvings, leaky, each normed but the first layer."""

    def __init__(self, shape: Shape, classes: int, width: int, rngs: nnx.Rngs):
        grids = pyramid(shape, width)[::-1]
        self.first = Conv(shape[2], width, rngs, reach_of(shape))
        self.halvings = nnx.List([Halving(a[2], b[2], rngs) for a, b in pairwise(grids)])
        self.norms = nnx.List([GroupNorm(b[2], GROUPS, rngs) for b in grids[1:]])
        self.last = Projection(math.prod(grids[-1]), classes, rngs)

    def __call__(self, x, y):
        x = leaky(self.first(x))
        for halving, norm in zip(self.halvings, self.norms, strict=True):
            x = leaky(norm(halving(x)))
        return self.last(x.reshape(-1), y)


def leaky(x):
    return jax.nn.leaky_relu(x, 0.2)


def generator(shape: Shape, latent: int, classes: int = 0, width: int = 32) -> Network:
    """A generator of images as a `Network`, `(f32[latent], f32[classes]) -> f32[*shape]`, unbounded.

    Where the paper norms over a batch, groups of channels of ONE example are normed; where it ends in one
    more doubling, this ends in a convolution that keeps the size.

    Radford et al. (2015), arXiv:1511.06434. Raises ValueError if a size is less than one, or 4 does not
    divide `width`.
    """
    positive("dcgan", latent=latent, width=width)
    return from_nnx(lambda rngs: Generator(shape, latent, classes, width, rngs))


def critic(shape: Shape, classes: int = 0, width: int = 32) -> Network:
    """Its critic as a `Network`, `(f32[*shape], f32[classes]) -> f32[]`, labels read by a `Projection`."""
    positive("dcgan", width=width)
    return from_nnx(lambda rngs: Critic(shape, classes, width, rngs))
