"""Rational-quadratic splines of the circle: angles to angles, smooth across the seam."""

from __future__ import annotations

import jax.numpy as jnp

from .scalar import Scalar
from .spline import Knots, rational, rational_back, wanted


def circular(
    bins: int = 8, min_width: float = 1e-3, min_height: float = 1e-3, min_slope: float = 1e-3
) -> Scalar:
    """`x = f(z) + phase` on the circle `[-pi, pi)`, f a rational-quadratic spline of it onto itself.

    One slope serves both ends, so that the density is continuous there; the phase says where the
    seam goes. `3 bins + 1` parameters: widths, heights, slopes, phase. Angles may come unwrapped;
    they leave in `[-pi, pi)`.

    Example: `theta: f32[25]`, `z: f32[]`. Rezende et al. (2020), arXiv:2002.02428.
    Raises ValueError unless there are two bins and room for the least sizes.
    """
    wanted("circular", bins, jnp.pi, min_width, min_height, min_slope)

    def parts(theta):
        widths, heights, raw = jnp.split(theta[:-1], 3)
        across, up = Knots(widths, min_width, jnp.pi), Knots(heights, min_height, jnp.pi)
        return across, up, jnp.append(raw, raw[0]), min_slope

    def forward(theta, z):
        x, log_slope = rational(wrapped(z), *parts(theta))
        return wrapped(x + theta[-1]), log_slope

    def inverse(theta, x):
        return rational_back(wrapped(x - theta[-1]), *parts(theta))

    return Scalar(3 * bins + 1, forward, inverse)


def wrapped(angle):
    """The angle in `[-pi, pi)`; those already there keep every bit."""
    turns = jnp.floor((angle + jnp.pi) / (2 * jnp.pi))
    return angle - 2 * jnp.pi * turns
