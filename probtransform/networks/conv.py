"""A residual convolutional network that keeps height and width."""

from __future__ import annotations

import jax
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import Conv, lecun
from .linear import Linear
from .norm import GroupNorm

zeros = nnx.initializers.zeros


class Residual(nnx.Module):
    """`f32[h, w, inputs]`, context `f32[k]` -> `f32[h, w, outputs]`; at first the shortcut alone.

    `shortcut(x) + conv(silu(norm(conv(silu(norm(x))) + linear(context))))`, convolutions 3 x 3 and the
    shortcut linear in the channels if their number changes. `context = 0` is a block without one.

    He et al. (2016), arXiv:1603.05027.
    """

    def __init__(self, inputs: int, outputs: int, context: int, groups: int, rngs: nnx.Rngs):
        self.norm1 = GroupNorm(inputs, groups, rngs)
        self.conv1 = Conv(inputs, outputs, rngs)
        self.context = Linear(context, outputs, rngs=rngs) if context else None
        self.norm2 = GroupNorm(outputs, groups, rngs)
        self.conv2 = Conv(outputs, outputs, rngs, init=zeros)
        self.shortcut = Linear(inputs, outputs, rngs=rngs) if inputs != outputs else None

    def __call__(self, x, context=None):
        h = self.conv1(jax.nn.silu(self.norm1(x)))
        if self.context is not None:
            h = h + self.context(context)
        h = self.conv2(jax.nn.silu(self.norm2(h)))
        return h + (x if self.shortcut is None else self.shortcut(x))


class ConvNet(nnx.Module):
    """`f32[h, w, inputs]`, context `f32[k]` -> `f32[h, w, outputs]`: `depth` residual blocks of `width`."""

    def __init__(self, inputs, outputs, width, depth, context, groups, quiet, rngs: nnx.Rngs):
        self.first = Conv(inputs, width, rngs)
        self.blocks = nnx.List(
            [Residual(width, width, context, groups, rngs) for _ in range(depth)]
        )
        self.norm = GroupNorm(width, groups, rngs)
        self.last = Conv(width, outputs, rngs, init=zeros if quiet else lecun)

    def __call__(self, x, context=None):
        h = self.first(x)
        for block in self.blocks:
            h = block(h, context)
        return self.last(jax.nn.silu(self.norm(h)))


def convnet(
    inputs: int,
    outputs: int,
    width: int = 32,
    depth: int = 2,
    context: int = 0,
    groups: int = 8,
    quiet: bool = False,
) -> Network:
    """A residual convolutional network as a `Network` on one image of any size, padded with zeros.

    `f32[h, w, inputs] -> f32[h, w, outputs]`, or with `context = k`, numbers that every place reads
    (time, label), `(f32[h, w, inputs], f32[k]) -> f32[h, w, outputs]`. With `quiet` it starts at zero.

    Raises ValueError if a size is less than one, or `groups` does not divide `width`.
    """
    positive("convnet", inputs=inputs, outputs=outputs, width=width, depth=depth, groups=groups)
    numbers = (inputs, outputs, width, depth, context, groups, quiet)
    return from_nnx(lambda rngs: ConvNet(*numbers, rngs))
