"""Geodesics as paths between base and data."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from .manifold import Manifold


class Geodesic(NamedTuple):
    """`x_t = exp_z(t log_z(x))`: the shortest way from the base point z (t = 0) to the example x (t = 1).

    Chen & Lipman (2023), arXiv:2302.03660.
    """

    manifold: Manifold

    def point(self, x, z, t):
        """`x_t: f32[size]`."""
        return self.manifold.exp(z, t * self.manifold.log(z, x))

    def velocity(self, x, z, t):
        """`dx_t/dt: f32[size]`, a tangent at x_t whose length is the distance, whatever t."""
        return jax.jvp(lambda t: self.point(x, z, t), (t,), (jnp.ones_like(t),))[1]
