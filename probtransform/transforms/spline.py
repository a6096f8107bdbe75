"""Monotone rational-quadratic splines: flexible maps of an interval with closed forms both ways."""

from __future__ import annotations

import math
from functools import reduce

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
        across = knots(theta[:bins], min_width, bound)
        up = knots(theta[bins : 2 * bins], min_height, bound)
        return across, up, jnp.pad(theta[2 * bins :], 1), min_slope

    def forward(theta, z):
        return within(bound, lambda z: rational(z, *parts(theta)), z)

    def inverse(theta, x):
        return within(bound, lambda x: rational_back(x, *parts(theta)), x)

    return Scalar(3 * bins - 1, forward, inverse)


def rational(z, across, up, raw, least):
    """`(x, log dx/dz)` between knots `across, up: [bins + 1]`, slopes at them `steepness(raw, least)`."""
    here = bin_of(z, across)
    (left, right), (bottom, top), at_ends = (ends(here, v) for v in (across, up, raw))
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
    here = bin_of(x, up)
    (left, right), (bottom, top), at_ends = (ends(here, v) for v in (across, up, raw))
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
    """`[bins + 1]` knots from -bound to bound; the softmax of `raw` says how far apart.

    Cumulative sums are a triangular product: for so few bins the quickest.
    """
    bins = len(raw)
    weight = jnp.exp(raw - jax.lax.stop_gradient(raw.max()))
    total = jnp.matmul(jnp.tri(bins), weight, precision="highest")
    share = least * jnp.arange(1, bins) + (1 - bins * least) * total[:-1] / total[-1]
    return jnp.pad(bound * (2 * share - 1), 1, constant_values=(-bound, bound))


def bin_of(at, knots):
    """The bin that `at` lies in, as `[bins]` ones and zeros: all knots are compared at once."""
    reached = at >= knots[1:-1]
    return jnp.pad(reached, (1, 0), constant_values=True) & ~jnp.pad(reached, (0, 1))


def ends(here, values):
    """Of values at the knots those at the two ends of a bin."""
    return picked(here, values[:-1]), picked(here, values[1:])


@jax.custom_jvp
def picked(here, values):
    """The one of `values` where `here` is true: a chain of choices, which compiles into one loop."""
    chain = zip(each(here)[1:], each(values)[1:], strict=True)
    return reduce(lambda found, at: jnp.where(at[0], at[1], found), chain, each(values)[0])


@picked.defjvp
def _(primals, tangents):
    """The derivative as a sum, whose transpose is one product rather than a chain back."""
    (here, values), (_, change) = primals, tangents
    return picked(here, values), jnp.where(here, change, 0.0).sum()


def each(values):
    return [part[0] for part in jax.lax.split(values, (1,) * len(values))]


def wanted(who: str, bins: int, bound: float, *sizes: float) -> None:
    if bins < 2 or not 0 < bound < math.inf or not all(0 < size < 1 / bins for size in sizes):
        raise ValueError(
            f"{who}: got bins={bins}, bound={bound:g} and least sizes {sizes}, wanted at least 2 bins, a "
            "finite bound > 0 and sizes between 0 and 1 / bins; change them"
        )
