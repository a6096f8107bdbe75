"""From a flat vector onto the data: reshaping, squashing, and rounding to levels."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Bound, Event, Exact, Transform
from ..core.check import example
from ..distributions.observation import integers, is_level


def reshape(shape: tuple[int, ...]) -> Transform[Exact]:
    """`f32[d]` to `f32[*shape]` with `d = prod(shape)`; the weight is zero."""

    def forward(params, key, z, cond=None):
        return z.reshape(shape)

    def inverse(params, key, x, cond=None):
        example("reshape", x, shape)
        return x.reshape(-1), jnp.zeros(())

    return Transform(lambda key: {}, forward, Exact(inverse))


def quantise(shape: tuple[int, ...], levels: int) -> Transform[Bound]:
    """`x = floor((z + 1)/2 * levels)`, clipped to `0 .. levels-1`, and back by uniform dequantisation.

    The cells cut [-1, 1] in `levels` equal parts. Back: `z` uniform in the cell of `x`, and the
    log-volume of the cell, `d log(2 / levels)`, as weight: `log P(x) >= E[log p(z)] + d log(2/levels)`.
    What is no level has no mass, and weight -inf.

    Example: `z: f32[64]`, `x: u8[8, 8, 1]` with shape `(8, 8, 1)`, levels 17.
    Theis et al. (2016), arXiv:1511.01844. Raises ValueError for an `x` of another shape or of reals.
    """
    d = math.prod(shape)

    def forward(params, key, z, cond=None):
        cell = jnp.floor((z + 1) / 2 * levels)
        return jnp.clip(cell, 0, levels - 1).astype(integers(levels)).reshape(shape)

    def inverse(params, key, x, cond=None):
        example("quantise", x, shape, jnp.integer)
        z = (x.reshape(-1) + jax.random.uniform(key, (d,))) / levels * 2 - 1
        return z, jnp.where(is_level(x, levels).all(), d * math.log(2 / levels), -jnp.inf)

    return Transform(lambda key: {}, forward, Bound(inverse))


def spread(shape: tuple[int, ...], levels: int) -> Transform[Exact]:
    """A symbol becomes a uniform number in its cell of [-1, 1], the cells of `quantise`: a histogram.

    Back, the cell of x is certain, and its volume spreads the mass: the weight is `-d log(2 / levels)`
    and the claim exact, unlike that of `quantise`, which runs the same kernel the other way.

    Example: `z: i32[2]`, `x: f32[2]` in [-1, 1]. Raises ValueError for another shape or integers.
    """
    d = math.prod(shape)

    def forward(params, key, z, cond=None):
        return (z + jax.random.uniform(key, shape)) / levels * 2 - 1

    def inverse(params, key, x, cond=None):
        example("spread", x, shape)
        cell = jnp.clip(jnp.floor((x + 1) / 2 * levels), 0, levels - 1)
        return cell.astype(integers(levels)), jnp.asarray(-d * math.log(2 / levels))

    return Transform(lambda key: {}, forward, Exact(inverse))


def squash(size: int, margin: float = 0.05) -> Transform[Exact]:
    """`x = (1 + margin) * tanh(z / 2)`: the real line onto an interval a little wider than [-1, 1].

    Bounded data become a whole line for a flow to shape, and the margin keeps the way back finite on
    the edges. `z, x: f32[size]`; the inverse of |x| > 1 + margin is not finite.
    """
    wide = 1 + margin

    def log_slope(z):  # log d/dz of wide * tanh(z/2)
        return (math.log(2 * wide) + jax.nn.log_sigmoid(z) + jax.nn.log_sigmoid(-z)).sum()

    def joint(params, key, z, cond=None):
        return wide * jnp.tanh(z / 2), -log_slope(z)

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("squash", x, (size,))
        z = 2 * jnp.arctanh(x / wide)
        return z, -log_slope(z)

    return Transform(lambda key: {}, forward, Exact(inverse), joint)


def onto(event: Event) -> Transform[Bound]:
    """The last step of a model that makes flat vectors: `quantise` for levels, `reshape` for reals."""
    if event.levels is None:
        return reshape(event.shape)
    return quantise(event.shape, event.levels)
