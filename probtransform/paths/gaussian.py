"""Gaussian paths between base and data: x_t = alpha_t x + sigma_t z, with t = 0 the base, t = 1 data."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Path(NamedTuple):
    """`x_t = alpha(t) x + sigma(t) z` for data x and base z, t in [0, 1]."""

    alpha: Callable
    sigma: Callable

    def point(self, x, z, t):
        """`x_t`, of the shape of x."""
        return self.alpha(t) * x + self.sigma(t) * z

    def velocity(self, x, z, t):
        """`dx_t/dt` with x and z held, of the shape of x."""
        return jax.jvp(lambda t: self.point(x, z, t), (t,), (jnp.ones_like(t),))[1]


def linear() -> Path:
    """The straight line `x_t = t x + (1 - t) z`. Lipman et al. (2022), arXiv:2210.02747."""
    return Path(lambda t: t, lambda t: 1 - t)
