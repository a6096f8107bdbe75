"""The generator and critic of R3GAN: grouped residual blocks without norms, that start as nothing."""

from __future__ import annotations

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import Conv, resized
from .dcgan import leaky
from .linear import Linear
from .projection import Projection
from .pyramid import Shape, pyramid, reach_of

GROUP = 16  # channels
GAIN = math.sqrt(2 / (1 + 0.2**2))  # of a leaky rectifier
lecun, zeros = nnx.initializers.lecun_normal(), nnx.initializers.zeros


class Block(nnx.Module):
    """`f32[h, w, width]` -> the same shape: `x + narrow(leaky(grouped(leaky(widen(x)))))`, at first x.

    Linear maps of the channels to twice as many and back; between them a convolution in groups of 16
    channels. The last is zero at first and the others smaller the more blocks there are, by `blocks^(-1/4)`,
    so that the sum over blocks keeps its size without norms.

    Xie et al. (2016), arXiv:1611.05431; Zhang et al. (2019), arXiv:1901.09321.
    """

    def __init__(self, width: int, blocks: int, size: int, rngs: nnx.Rngs):
        wide = 2 * width
        init = scaled(GAIN * blocks**-0.25)
        self.widen = Linear(width, wide, kernel_init=init, rngs=rngs)
        if wide > GROUP and wide % GROUP:
            raise ValueError(
                f"r3gan: got width={width}, wanted a multiple of {GROUP // 2}, for twice as many "
                f"channels are cut into groups of {GROUP}; change it"
            )
        groups = max(wide // GROUP, 1)
        self.grouped = Conv(wide, wide, rngs, size, groups, init)
        self.narrow = Linear(wide, width, use_bias=False, kernel_init=zeros, rngs=rngs)

    def __call__(self, x):
        return x + self.narrow(leaky(self.grouped(leaky(self.widen(x)))))


class Generator(nnx.Module):
    """`z: f32[latent]`, `y: f32[classes]` -> `f32[h, w, c]`: at first linear in its input.

    A learned image of the coarsest grid, each channel times a number that is linear in z and y; then `depth`
    blocks a scale, bilinear steps between scales, and a linear map to the channels.
    """

    def __init__(self, shape: Shape, latent, classes, width, depth, rngs: nnx.Rngs):
        grids = pyramid(shape, width)
        self.sides = tuple(grid[:2] for grid in grids[1:])
        self.basis = nnx.Param(jax.random.normal(rngs.params(), grids[0]))
        self.first = linear(latent + classes, grids[0][2], rngs)
        self.stages = stages(grids, depth, reach_of(shape), rngs)
        self.between = nnx.List([linear(a[2], b[2], rngs) for a, b in pairwise(grids)])
        self.last = Linear(width, shape[2], rngs=rngs)

    def __call__(self, z, y):
        x = self.basis[...] * self.first(jnp.concatenate([z, y]))
        x = through(self.stages[0], x)
        for mix, side, stage in zip(self.between, self.sides, self.stages[1:], strict=True):
            x = through(stage, resized(mix(x), side))
        return self.last(x)


class Critic(nnx.Module):
    """`f32[h, w, c]`, `y: f32[classes]` -> a logit: the generator turned round."""

    def __init__(self, shape: Shape, classes, width, depth, rngs: nnx.Rngs):
        grids = pyramid(shape, width)[::-1]
        self.sides = tuple(grid[:2] for grid in grids[1:])
        self.first = Linear(shape[2], width, rngs=rngs)
        self.stages = stages(grids, depth, reach_of(shape), rngs)
        self.between = nnx.List([linear(a[2], b[2], rngs) for a, b in pairwise(grids)])
        h, w, channels = grids[-1]
        draws = jax.random.normal(rngs.params(), grids[-1])
        self.basis = nnx.Param(draws * (h * w) ** -0.5)
        self.last = Projection(channels, classes, rngs, bias=False)

    def __call__(self, x, y):
        x = through(self.stages[0], self.first(x))
        for mix, side, stage in zip(self.between, self.sides, self.stages[1:], strict=True):
            x = through(stage, mix(resized(x, side)))
        return self.last((self.basis[...] * x).sum((0, 1)), y)


def scaled(gain: float):
    """Normal numbers of deviation `gain / sqrt(inputs)`. He et al. (2015), arXiv:1502.01852."""
    return nnx.initializers.variance_scaling(gain**2, "fan_in", "normal")


def linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> Linear:
    return Linear(inputs, outputs, use_bias=False, rngs=rngs)


def stages(grids, depth: int, size: int, rngs: nnx.Rngs) -> nnx.List:
    """`depth` blocks for each grid."""
    blocks = depth * len(grids)
    return nnx.List(
        [nnx.List([Block(c, blocks, size, rngs) for _ in range(depth)]) for *_, c in grids]
    )


def through(stage, x):
    for block in stage:
        x = block(x)
    return x


def generator(shape: Shape, latent: int, classes: int = 0, width=32, depth=1) -> Network:
    """R3GAN's generator as a `Network`, `(f32[latent], f32[classes]) -> f32[*shape]`, unbounded.

    Huang et al. (2025), arXiv:2501.05441. Raises ValueError if a size is less than one, or twice the width is
    not whole groups of about 16 channels.
    """
    positive("r3gan", latent=latent, width=width, depth=depth)
    return from_nnx(lambda rngs: Generator(shape, latent, classes, width, depth, rngs))


def critic(shape: Shape, classes: int = 0, width: int = 32, depth: int = 1) -> Network:
    """Its critic as a `Network`, `(f32[*shape], f32[classes]) -> f32[]`, labels read by a `Projection`.

    The logit has no constant of its own: a paired game sees differences alone.
    """
    positive("r3gan", width=width, depth=depth)
    return from_nnx(lambda rngs: Critic(shape, classes, width, depth, rngs))
