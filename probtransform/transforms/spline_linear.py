"""Piecewise linear maps: the CDF of a histogram with equal cells."""

from __future__ import annotations

import jax.numpy as jnp

from .scalar import Scalar
from .spline import between, bin_of, ends, knots, wanted, within


def piecewise_linear(bins: int = 8, bound: float = 4.0, min_height: float = 1e-3) -> Scalar:
    """`bins` straight pieces of equal width on `[-bound, bound]`, the identity outside, `bins` parameters.

    With `xi` in [0, 1] the place in a bin of height h that starts at (., b), `x = b + h xi`; heights are
    softmax shares of the interval, none below `min_height`. The slope jumps at knots and at the bounds.

    Example: `theta: f32[8]`, `z: f32[]`. Mueller et al. (2019), arXiv:1808.03856.
    Raises ValueError unless there are two bins, a finite bound, and room for the least height.
    """
    wanted("piecewise_linear", bins, bound, min_height)
    across, up = jnp.linspace(-bound, bound, bins + 1), (min_height, bound)

    def rise(theta, z):
        b = bin_of(z, across)
        (left, right), (bottom, top) = ends(b, across), between(b, theta, *up)
        slope = (top - bottom) / (right - left)
        return bottom + (z - left) * slope, jnp.log(slope)

    def back(theta, x):
        b = bin_of(x, knots(theta, *up))
        (left, right), (bottom, top) = ends(b, across), between(b, theta, *up)
        slope = (top - bottom) / (right - left)
        return left + (x - bottom) / slope, jnp.log(slope)

    def forward(theta, z):
        return within(bound, lambda z: rise(theta, z), z)

    def inverse(theta, x):
        return within(bound, lambda x: back(theta, x), x)

    return Scalar(bins, forward, inverse)
