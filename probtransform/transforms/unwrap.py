"""Circles cut open and stretched to lines: angles become reals, uniform angles standard normals."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax.scipy.special import erf, erfinv
from jax.scipy.stats import norm

from ..core import Exact, Transform
from ..core.check import example


def unwrap(size: int) -> Transform[Exact]:
    """`x_i = Phi^-1((z_i + pi) / 2 pi)`: angles in [-pi, pi) to reals, `z, x: f32[size]`.

    The weight is `sum log(2 pi phi(x_i))`: the density of x is that of z relative to uniform angles,
    times that of the standard normal. The angle pi is infinity, where the two ends of a line meet; in
    single precision it is met beyond 5 deviations. Raises ValueError for an `x` of another shape.
    """

    def weight(x):
        return (norm.logpdf(x) + math.log(2 * math.pi)).sum()

    def forward(params, key, z, cond=None):
        end = 1 - jnp.finfo(z.dtype).eps / 2  # the last number before one
        return math.sqrt(2) * erfinv(jnp.clip(z / jnp.pi, -end, end))

    def joint(params, key, z, cond=None):
        x = forward(params, key, z)
        return x, weight(x)

    def inverse(params, key, x, cond=None):
        example("unwrap", x, (size,))
        return jnp.pi * erf(x / math.sqrt(2)), weight(x)

    return Transform(lambda key: {}, forward, Exact(inverse), joint)
