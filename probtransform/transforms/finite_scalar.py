"""Finite scalars: numbers in [-1, 1] rounded to a few values each, which needs no codebook."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import positive
from ..distributions.quantised import Quantiser


def finite_scalar(places: int, levels: tuple[int, ...]) -> Quantiser:
    """`places` vectors of `len(levels)` numbers, number i one of `levels[i]` even steps from -1 to 1.

    `tanh` bends the encoder's numbers to [-1, 1], and rounding does the rest: `prod(levels)` vectors a place,
    all in use as soon as numbers spread. A vector is one symbol, its numbers the digits, the first the
    lowest. A draw takes value v of number u with probability `softmax_v(-(u - v)^2 / 2 s^2)`, with `s` of
    `log_scale`, one a number, in steps: all that the block holds. Steps lie symmetric around
    zero for even counts too, where the paper shifts them.

    Example: `finite_scalar(16, (5, 5, 5))` is 16 symbols of 125 levels for `f32[48]`.
    Mentzer et al. (2023), arXiv:2309.15505. Raises ValueError for fewer than two steps, or no places.
    """
    positive("finite_scalar", places=places, numbers=len(levels))
    if min(levels) < 2:
        raise ValueError(
            f"finite_scalar: got levels {tuple(levels)}, wanted at least 2 of each number; one says nothing"
        )
    counts, most, channels = np.array(levels), max(levels), len(levels)
    radix = np.cumprod([1, *levels[:-1]])
    there = np.arange(most) < counts[:, None]

    def init(key):
        return {"log_scale": jnp.log((counts - 1) / 4.0)}

    def steps(z):
        """`f32[places, channels]`, in steps from 0 to `levels - 1`."""
        return (z.reshape(places, channels) + 1) / 2 * (counts - 1)

    def digits_of(symbols):
        return symbols[:, None] // radix % counts

    def vector(params, symbols):
        return (2 * digits_of(symbols) / (counts - 1) - 1).reshape(-1)

    def nearest(params, z):
        digits = jnp.clip(jnp.round(steps(z)), 0, counts - 1).astype(jnp.int32)
        return digits @ radix

    def draw(params, key, z):
        away = steps(z)[..., None] - jnp.arange(most)
        logits = -(away**2) / 2 * jnp.exp(-2 * params["log_scale"])[:, None]
        logits = jnp.where(there, logits, -jnp.inf)
        digits = jax.random.categorical(key, logits)
        log_q = jnp.take_along_axis(jax.nn.log_softmax(logits), digits[..., None], -1)
        return digits @ radix, log_q.sum()

    size = places * channels
    return Quantiser(places, math.prod(levels), size, init, jnp.tanh, vector, nearest, draw)
