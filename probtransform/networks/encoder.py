"""A small convolutional encoder: an image becomes a few numbers that say what it shows."""

from __future__ import annotations

import jax
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .conv import Residual
from .convolution import Halving
from .linear import Linear
from .norm import GroupNorm

GROUPS = 8


class Encoder(nnx.Module):
    """`f32[h, w, c] -> f32[features]`: both sides are halved twice at once, where all that follows is cheap.

    `silu(norm(halve(x)))` of `width / 4` channels, halved again to `width`, a residual block, a linear map of
    the channels, and the mean of `silu` over all places.
    """

    def __init__(self, shape: tuple[int, int, int], features: int, width: int, rngs: nnx.Rngs):
        self.first = Halving(shape[2], width // 4, rngs)
        self.norm1 = GroupNorm(width // 4, GROUPS, rngs)
        self.second = Halving(width // 4, width, rngs)
        self.block = Residual(width, width, 0, GROUPS, rngs)
        self.norm2 = GroupNorm(width, GROUPS, rngs)
        self.last = Linear(width, features, rngs=rngs)

    def __call__(self, x):
        x = self.second(jax.nn.silu(self.norm1(self.first(x))))
        x = self.last(jax.nn.silu(self.norm2(self.block(x))))
        return jax.nn.silu(x).mean((0, 1))


def encoder(shape: tuple[int, ...], features: int = 128, width: int = 64) -> Network:
    """A residual encoder as a `Network`, `f32[h, w, c] -> f32[features]`.

    Example: `encoder((28, 28, 1))` has a hundred thousand parameters, most of them on 7 x 7 places.
    He et al. (2016), arXiv:1603.05027.
    Raises ValueError unless both sides are multiples of 4 and `width` is one of 32.
    """
    positive("encoder", features=features, width=width)
    if len(shape) != 3 or shape[0] % 4 or shape[1] % 4 or width % (4 * GROUPS):
        raise ValueError(
            f"encoder: got images of shape {shape} and width={width}, wanted [height, width, channels] with "
            f"sides divisible by 4 and a width divisible by {4 * GROUPS}; resize them"
        )
    height, wide, channels = shape
    return from_nnx(lambda rngs: Encoder((height, wide, channels), features, width, rngs))
