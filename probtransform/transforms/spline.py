"""Monotone rational-quadratic splines: flexible maps of an interval with closed forms both ways."""

from __future__ import annotations

import math
from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .scalar import Scalar


def rational_quadratic(
    bins: int = 8,
    bound: float = 4.0,
    min_width: float = 1e-3,
    min_height: float = 1e-3,
    min_slope: float = 1e-3,
) -> Scalar:
    """`bins` rational-quadratic pieces on `[-bound, bound]`, the identity outside, `3 bins - 1` parameters.

    With `xi` in [0, 1] the place in a bin of width w and height h that starts at (., b), `s = h / w` and
    slopes `d, d'` at its ends,

        x = b + h xi (s xi + d (1 - xi)) / (s (xi^2 + (1 - xi)^2) + (d + d') xi (1 - xi)).

    `theta` holds widths, heights (softmax shares of the interval, none below `min_width` or `min_height`)
    and slopes at inner knots, `exp(limit tanh(raw / limit))`, from `min_slope` to its reciprocal. At the
    bounds the slope is 1, as outside. The gradient of `forward` costs half that of `inverse`.

    Example: `theta: f32[23]`, `z: f32[]`. Durkan et al. (2019), arXiv:1906.04032.
    Raises ValueError unless there are two bins, a finite bound, and room for the least sizes.
    """
    wanted("rational_quadratic", bins, bound, min_width, min_height, min_slope)

    def parts(theta):
        widths, heights, raw = jnp.split(theta, (bins, 2 * bins))
        across, up = Knots(widths, min_width, bound), Knots(heights, min_height, bound)
        return across, up, jnp.pad(raw, 1), min_slope

    def forward(theta, z):
        return within(bound, lambda z: rational(z, *parts(theta)), z)

    def inverse(theta, x):
        return within(bound, lambda x: rational_back(x, *parts(theta)), x)

    return Scalar(3 * bins - 1, forward, inverse)


class Knots(NamedTuple):
    """`[bins + 1]` knots from -bound to bound; the softmax of `raw` says how far apart, `least` how near."""

    raw: Any
    least: float
    bound: float


def rational(z, across: Knots, up: Knots, raw, least):
    """`(x, log dx/dz)` between knots, slopes at them `steepness(raw, least)`, `raw: [bins + 1]`."""
    b = bin_of(z, knots(*across))
    (left, right), (bottom, top), at_ends = between(b, *across), between(b, *up), ends(b, raw)
    d, e = (steepness(r, least) for r in at_ends)  # of the two picked alone
    width, height = right - left, top - bottom
    s, xi = height / width, (z - left) / width
    rest = 1 - xi
    below = s * (xi**2 + rest**2) + (d + e) * xi * rest
    x = bottom + height * xi * (s * xi + d * rest) / below
    slope = (s / below) ** 2 * (e * xi**2 + 2 * s * xi * rest + d * rest**2)
    return x, jnp.log(slope)


def rational_back(x, across, up, raw, least):
    """`(z, log dx/dz)`, the same map backwards.

    With v in [0, 1] the height within the bin, the quadratic for xi has the discriminant
    `(d (1 - v) - e v)^2 + 4 s^2 v (1 - v)`, a sum of squares, and of its root's two forms the one that
    adds positive numbers loses no digits.
    """
    b = bin_of(x, knots(*up))
    (left, right), (bottom, top), at_ends = between(b, *across), between(b, *up), ends(b, raw)
    d, e = (steepness(r, least) for r in at_ends)  # of the two picked alone
    width, height = right - left, top - bottom
    s, v = height / width, jnp.clip((x - bottom) / height, 0.0, 1.0)
    tilt = d * (1 - v) - e * v
    root = jnp.sqrt(tilt**2 + 4 * s**2 * v * (1 - v))
    steep = tilt >= 0
    both = root + jnp.where(steep, tilt, -tilt)
    one = jnp.where(steep, 2 * s * v, both)
    other = jnp.where(steep, both, 2 * s * (1 - v))
    xi, rest = one / (one + other), other / (one + other)
    below = s * (xi**2 + rest**2) + (d + e) * xi * rest
    return left + width * xi, jnp.log(s * root / below)


def within(bound: float, way, at):
    """`way` inside `(-bound, bound)`, the identity outside, where it meets a 0: gradients stay finite."""
    outside = jnp.abs(at) >= bound
    value, log_slope = way(jnp.where(outside, 0.0, at))
    return jnp.where(outside, at, value), jnp.where(outside, 0.0, log_slope)


def steepness(raw, least: float):
    """Positive slopes from `least` to its reciprocal, 1 at zero."""
    limit = -math.log(least)
    return jnp.exp(limit * jnp.tanh(raw / limit))


def knots(raw, least: float, bound: float):
    """The places of `Knots`. Cumulative sums are a triangular product: for so few bins the quickest."""
    bins = len(raw)
    weight = jnp.exp(raw - jax.lax.stop_gradient(raw.max()))
    total = jnp.matmul(jnp.tri(bins), weight, precision="highest")
    share = least * jnp.arange(1, bins) + (1 - bins * least) * total[:-1] / total[-1]
    return jnp.pad(bound * (2 * share - 1), 1, constant_values=(-bound, bound))


def bin_of(at, places):
    """The bin that `at` lies in, `0 .. bins-1`: all knots are compared at once."""
    return (at >= jax.lax.stop_gradient(places[1:-1])).sum()


@partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def between(b, raw, least: float, bound: float):
    """The knots at the two ends of bin b."""
    return ends(b, knots(raw, least, bound))


@between.defjvp
def _(least, bound, primals, tangents):
    """Partial sums of a softmax have the derivative `sum_j p_j (dr_j - p dr)`: no knot but these is moved."""
    (b, raw), (_, change) = primals, tangents
    share, bins = jax.nn.softmax(raw), jnp.arange(len(raw))
    moved = 2 * bound * (1 - len(raw) * least) * share * (change - share @ change)
    low, high = (jnp.where(below, moved, 0.0).sum() for below in (bins < b, bins <= b))
    return between(b, raw, least, bound), (low, high)


def ends(b, values):
    """Of values at the knots those at the two ends of a bin."""
    return picked(b, values), picked(b + 1, values)


@jax.custom_jvp
def picked(i, values):
    """`values[i]`: a chain of choices, which compiles into one loop."""
    parts = enumerate(jax.lax.split(values, (1,) * len(values)))
    return reduce(lambda found, at: jnp.where(i == at[0], at[1][0], found), parts, values[0])


@picked.defjvp
def _(primals, tangents):
    """The derivative as a sum, whose transpose is one product rather than a chain back."""
    (i, values), (_, change) = primals, tangents
    return picked(i, values), jnp.where(jnp.arange(len(values)) == i, change, 0.0).sum()


def wanted(who: str, bins: int, bound: float, *sizes: float) -> None:
    if bins < 2 or not 0 < bound < math.inf or not all(0 < size < 1 / bins for size in sizes):
        raise ValueError(
            f"{who}: got bins={bins}, bound={bound:g} and least sizes {sizes}, wanted at least 2 bins, a "
            "finite bound > 0 and sizes between 0 and 1 / bins; change them"
        )
