"""Space to depth, and latents that stop at one scale while the rest go deeper."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example
from ..core.distribution import carried


def squeeze(shape: tuple[int, int, int], side: int = 2) -> Transform[Exact]:
    """`f32[h, w, c] -> f32[h/2, w/2, 4c]`: each 2 x 2 square becomes one place; the weight is zero.

    `x[i, j] = (z[2i, 2j], z[2i, 2j+1], z[2i+1, 2j], z[2i+1, 2j+1])`, and alike for squares of another
    `side`; `invert(squeeze(shape))` is the way from depth to space.
    Dinh et al. (2017), arXiv:1605.08803. Raises ValueError unless `side` divides both sides.
    """
    h, w, c = shape
    if min(*shape, side) < 1 or h % side or w % side:
        raise ValueError(
            f"squeeze: got images of shape {shape}, wanted a height and width divisible by {side}; pad or "
            "crop them"
        )
    rows, columns = h // side, w // side
    deep = (rows, columns, side * side * c)

    def forward(params, key, z, cond=None):
        example("squeeze", z, shape)
        return z.reshape(rows, side, columns, side, c).transpose(0, 2, 1, 3, 4).reshape(deep)

    def inverse(params, key, x, cond=None):
        example("squeeze", x, deep)
        z = x.reshape(rows, columns, side, side, c).transpose(0, 2, 1, 3, 4).reshape(shape)
        return z, jnp.zeros(())

    return Transform(lambda key: {}, forward, Exact(inverse))


def split(shape: tuple[int, int, int], deeper: Transform[Exact]) -> Transform[Exact]:
    """`f32[h w c] -> f32[h, w, c]`: the first half of the channels through `deeper`, the rest as they are.

    `deeper` carries the first `h w (c/2)` numbers, flat, to `f32[h, w, c/2]`, and the weight is its own. No
    latent is lost or drawn afresh: with another split inside `deeper` the whole of a multi-scale flow is
    one bijection of a flat vector and an image. Dinh et al. (2017), arXiv:1605.08803.
    Raises ValueError for an odd number of channels.
    """
    h, w, c = shape
    if c % 2:
        raise ValueError(
            f"split: got {c} channels, wanted an even number; squeeze the image before, or repeat a channel"
        )
    half = (h, w, c // 2)
    kept = math.prod(half)

    def joined(carry, rest):
        return jnp.concatenate([carry, rest.reshape(half)], -1)

    def forward(params, key, z, cond=None):
        return joined(deeper.forward(params, key, z[:kept], cond), z[kept:])

    def joint(params, key, z, cond=None):
        x, weight = carried(deeper)(params, key, z[:kept], cond)
        return joined(x, z[kept:]), weight

    def inverse(params, key, x, cond=None):
        example("split", x, shape)
        z, weight = deeper.inverse.fn(params, key, x[..., : c // 2], cond)
        return jnp.concatenate([z, x[..., c // 2 :].reshape(-1)]), weight

    return Transform(deeper.init, forward, Exact(inverse), joint)
