"""The flow of a field of tangents: an ordinary differential equation on a manifold as a transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.check import example, positive
from ..integrate.geodesic import geodesic_runge_kutta
from ..paths import Manifold
from .trace import Trace, exact


def geodesic_flow(
    velocity: Network, manifold: Manifold, steps: int = 32, trace: Trace | None = None
) -> Transform[Exact]:
    """`x(1)` of `dx/dt = v(x, t, cond)` from `x(0) = z`, both points of the manifold, `f32[size]`.

    `velocity.apply(params, x, t, cond)` is a tangent at x, as `manifold.tangent` makes one. Densities
    are with respect to the volume of the manifold: the weight is `-integral of div v dt` with
    `div v = tr(P Dv P)`, P the projection onto the tangents, by `trace` (`exact()`, `size`
    Jacobian-vector products an evaluation, if left out). Exact up to the error of the solver.
    What is off the manifold has weight -inf.

    Chen & Lipman (2023), arXiv:2302.03660; Mathieu & Nickel (2020), arXiv:2006.10605.
    Raises ValueError for an `x` of another shape or of integers.
    """
    positive("geodesic_flow", steps=steps)
    trace = trace or exact()

    def solve(derivative, state, start, end):
        return geodesic_runge_kutta(manifold, derivative, state, start, end, steps)

    def alone(params, cond):
        return lambda state, t: (velocity.apply(params, state[0], t, cond), ())

    def with_weight(params, key, cond):
        probes = trace.draw(key, manifold.size)

        def d_dt(state, t):
            x, _ = state
            dx, product = jax.linearize(lambda x: velocity.apply(params, x, t, cond), x)
            return dx, -trace.of(jax.vmap(tangential(manifold, x, product)), probes)

        return d_dt

    def forward(params, key, z, cond=None):
        return solve(alone(params, cond), (z, ()), 0.0, 1.0)[0]

    def joint(params, key, z, cond=None):
        return solve(with_weight(params, key, cond), (z, jnp.zeros(())), 0.0, 1.0)

    def inverse(params, key, x, cond=None):
        example("geodesic_flow", x, (manifold.size,))
        # running back, the weight comes out with the sign of the path run backwards
        z, weight = solve(with_weight(params, key, cond), (x, jnp.zeros(())), 1.0, 0.0)
        return z, jnp.where(manifold.contains(x), -weight, -jnp.inf)

    return Transform(velocity.init, forward, Exact(inverse), joint)


def tangential(manifold: Manifold, x, product: Callable[..., Any]) -> Callable[..., Any]:
    """`w -> P A P w` for `product(w) = A w`: if A is the Jacobian at x of a field, its trace is div v."""
    return lambda w: manifold.project(x, product(manifold.project(x, w)))
