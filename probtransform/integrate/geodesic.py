"""Runge and Kutta on a manifold, in coordinates that each step takes from its own geodesics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..paths import Manifold
from .ode import runge_kutta


def geodesic_runge_kutta(
    manifold: Manifold, derivative: Callable[..., Any], state, start: float, end: float, steps: int
):
    """`(x, rest)(end)` of `dx/dt, drest/dt = derivative((x, rest), t)`; x is a point, rest any pytree.

    A step from x writes the point as `exp_x(u)` and solves for u, whose velocity is that of the point
    seen through `log_x`: a classical Runge-Kutta step in normal coordinates. Every stage and every end
    lies on the manifold; global error O(steps^-4) where steps stay within the reach of log. Runs
    backwards where `end < start`.

    Munthe-Kaas (1999), Applied Numerical Mathematics 29, does so on groups.
    """
    h = (end - start) / steps

    def step(state, i):
        x, rest = state

        def in_coordinates(u_rest, t):
            y = manifold.exp(x, u_rest[0])
            velocity, slope = derivative((y, u_rest[1]), t)
            return jax.jvp(lambda y: manifold.log(x, y), (y,), (velocity,))[1], slope

        t = start + i * h
        u, rest = runge_kutta(in_coordinates, (jnp.zeros_like(x), rest), t, t + h, 1)
        return (manifold.exp(x, u), rest), None

    return jax.lax.scan(step, state, jnp.arange(steps, dtype=jnp.float32))[0]
