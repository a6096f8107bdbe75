"""The residual generator and critic of images that later games share."""

from __future__ import annotations

import math
from itertools import pairwise

import jax
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import Conv
from .linear import Linear
from .projection import Projection
from .pyramid import Shape, pyramid, reach_of
from .unet import AdaptiveNorm, doubled, halved

GROUPS = 4
relu = jax.nn.relu


def grouped(channels: int, context: int, rngs: nnx.Rngs) -> AdaptiveNorm:
    """A norm over groups of channels of one example."""
    return AdaptiveNorm(channels, GROUPS, context, rngs)


class Up(nnx.Module):
    """`f32[h, w, inputs]`, `e: f32[context]` -> `f32[., ., outputs]`, twice the sides if it `grows`.

    `shortcut(grow(x)) + conv(relu(norm(conv(grow(relu(norm(x, e)))), e)))`, norms scaled and shifted by e;
    `statistics` are for norms that want them handed in.
    """

    def __init__(self, inputs, outputs, context, grows, size, norm, rngs: nnx.Rngs):
        self.norm1 = norm(inputs, context, rngs)
        self.conv1 = Conv(inputs, outputs, rngs, size)
        self.norm2 = norm(outputs, context, rngs)
        self.conv2 = Conv(outputs, outputs, rngs, size)
        self.shortcut = Conv(inputs, outputs, rngs, 1) if inputs != outputs else None
        self.grows = grows

    def __call__(self, x, e, *statistics):
        h = relu(self.norm1(x, e, *statistics))
        if self.grows:
            h, x = doubled(h), doubled(x)
        h = self.conv2(relu(self.norm2(self.conv1(h), e, *statistics)))
        return h + (x if self.shortcut is None else self.shortcut(x))


class Down(nnx.Module):
    """`f32[h, w, inputs] -> f32[., ., outputs]`, half the sides if it `shrinks`.

    `shrink(shortcut(x) + conv(relu(conv(relu(x)))))`, without norms; the `first` takes pixels as they are.
    """

    def __init__(self, inputs, outputs, shrinks, first, size, rngs: nnx.Rngs):
        self.conv1 = Conv(inputs, outputs, rngs, size)
        self.conv2 = Conv(outputs, outputs, rngs, size)
        self.shortcut = Conv(inputs, outputs, rngs, 1) if inputs != outputs else None
        self.shrinks, self.first = shrinks, first

    def __call__(self, x):
        h = self.conv2(relu(self.conv1(x if self.first else relu(x))))
        if self.shrinks:  # both are linear and local: the means may be taken first
            h, x = halved(h), halved(x)
        return h + (x if self.shortcut is None else self.shortcut(x))


def ups(shape: Shape, width: int, contexts: list[int], rngs: nnx.Rngs, norm=grouped) -> nnx.List:
    """A block for every scale of the pyramid, the first at the coarsest, where nothing grows."""
    channels = [c for *_, c in pyramid(shape, width)]
    blocks = zip([channels[0], *channels], channels, contexts, strict=False)
    size = reach_of(shape)
    return nnx.List([Up(a, b, e, i > 0, size, norm, rngs) for i, (a, b, e) in enumerate(blocks)])


class Generator(nnx.Module):
    """`z: f32[latent]`, `y: f32[classes]` -> `f32[h, w, c]`; the label scales and shifts every norm."""

    def __init__(self, shape: Shape, latent: int, classes: int, width: int, rngs: nnx.Rngs):
        grids = pyramid(shape, width)
        self.grid = grids[0]
        self.first = Linear(latent, math.prod(self.grid), rngs=rngs)
        self.blocks = ups(shape, width, [classes] * len(grids), rngs)
        self.norm = grouped(width, 0, rngs)
        self.last = Conv(width, shape[2], rngs, reach_of(shape))

    def __call__(self, z, y):
        x = self.first(z).reshape(self.grid)
        for block in self.blocks:
            x = block(x, y)
        return self.last(relu(self.norm(x)))


class Critic(nnx.Module):
    """`f32[h, w, c]`, `y: f32[classes]` -> a logit, of the features summed over all places."""

    def __init__(self, shape: Shape, classes: int, width: int, rngs: nnx.Rngs):
        channels = [shape[2]] + [c for *_, c in pyramid(shape, width)[::-1]]
        last, size = len(channels) - 2, reach_of(shape)
        self.blocks = nnx.List(
            [
                Down(a, b, i < last, i == 0, size, rngs)
                for i, (a, b) in enumerate(pairwise(channels))
            ]
        )
        self.last = Projection(channels[-1], classes, rngs)

    def __call__(self, x, y):
        for block in self.blocks:
            x = block(x)
        return self.last(relu(x).sum((0, 1)), y)


def generator(shape: Shape, latent: int, classes: int = 0, width: int = 32) -> Network:
    """A residual generator as a `Network`, `(f32[latent], f32[classes]) -> f32[*shape]`, unbounded.

    A block for each scale of the `pyramid`; norms over a batch are norms over groups of channels of ONE
    example. Miyato et al. (2018), arXiv:1802.05957; Miyato & Koyama (2018), arXiv:1802.05637.
    Raises ValueError if a size is less than one, or 4 does not divide `width`.
    """
    positive("resnet_gan", latent=latent, width=width)
    return from_nnx(lambda rngs: Generator(shape, latent, classes, width, rngs))


def critic(shape: Shape, classes: int = 0, width: int = 32) -> Network:
    """Its critic as a `Network`, `(f32[*shape], f32[classes]) -> f32[]`, labels read by a `Projection`.

    It has no norms: `spectral(critic(...))` or a penalty keeps it smooth.
    """
    positive("resnet_gan", width=width)
    return from_nnx(lambda rngs: Critic(shape, classes, width, rngs))
