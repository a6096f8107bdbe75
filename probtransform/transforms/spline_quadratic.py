"""Piecewise quadratic maps: the CDF of a density made of straight lines."""

from __future__ import annotations

import jax.numpy as jnp

from .scalar import Scalar
from .spline import bin_of, ends, knots, steepness, wanted, within


def piecewise_quadratic(
    bins: int = 8, bound: float = 4.0, min_width: float = 1e-3, min_slope: float = 1e-3
) -> Scalar:
    """`bins` parabolas on `[-bound, bound]`, the identity outside, `2 bins + 1` parameters.

    The slope is a straight line from d to e over a bin of width w that starts at (., b): with `xi` in
    [0, 1] the place in the bin, `x = b + w (d xi + (e - d) xi^2 / 2)`. Widths are softmax shares of the
    interval, none below `min_width`; slopes at all knots are positive, scaled to fill the interval, and
    from `min_slope` to its reciprocal before. The slope jumps at the bounds.

    Example: `theta: f32[17]`, `z: f32[]`. Mueller et al. (2019), arXiv:1808.03856.
    Raises ValueError unless there are two bins, a finite bound, and room for the least sizes.
    """
    wanted("piecewise_quadratic", bins, bound, min_width, min_slope)

    def parts(theta):
        widths, raw = jnp.split(theta, (bins,))
        across, slopes = knots(widths, min_width, bound), steepness(raw, min_slope)
        areas = (slopes[1:] + slopes[:-1]) / 2 * (across[1:] - across[:-1])
        total = jnp.matmul(jnp.tri(bins), areas, precision="highest")
        inner = bound * (2 * total[:-1] / total[-1] - 1)
        up = jnp.pad(inner, 1, constant_values=(-bound, bound))
        return across, up, slopes * (2 * bound / total[-1])

    def rise(z, across, up, slopes):
        b = bin_of(z, across)
        (left, right), (bottom, _), (d, e) = (ends(b, v) for v in (across, up, slopes))
        xi = (z - left) / (right - left)
        x = bottom + (z - left) * (d + (e - d) * xi / 2)
        return x, jnp.log(d * (1 - xi) + e * xi)

    def back(x, across, up, slopes):
        b = bin_of(x, up)
        (left, right), (bottom, top), (d, e) = (ends(b, v) for v in (across, up, slopes))
        v = jnp.clip((x - bottom) / (top - bottom), 0.0, 1.0)
        slope = jnp.sqrt(d**2 * (1 - v) + e**2 * v)  # the root of the quadratic, by positive terms
        return left + (right - left) * v * (d + e) / (d + slope), jnp.log(slope)

    def forward(theta, z):
        return within(bound, lambda z: rise(z, *parts(theta)), z)

    def inverse(theta, x):
        return within(bound, lambda x: back(x, *parts(theta)), x)

    return Scalar(2 * bins + 1, forward, inverse)
