"""The flow of a velocity field: an ordinary differential equation as a transform."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.check import positive
from ..integrate.ode import runge_kutta
from .trace import Trace, exact


def flow(
    velocity: Network,
    steps: int = 32,
    trace: Trace | None = None,
    solve: Callable[..., Any] | None = None,
) -> Transform[Exact]:
    """`x(1)` of `dx/dt = v(x, t, cond)` from `x(0) = z`: t = 0 is the base, t = 1 the data.

    `velocity.apply(params, x, t, cond)` is `f32[d]` for `x: f32[d]` and a scalar t. The weight is
    `-integral of div v dt` along the path, the divergence by `trace` (`exact()`, d Jacobian-vector
    products an evaluation, if left out): an estimate makes it right on average over the key. `solve`, such
    as `adaptive(1e-6, 1e-6)`, takes the place of `steps` Runge-Kutta steps. The claim is exact up to the
    error of the solver.

    Chen et al. (2018), arXiv:1806.07366; Grathwohl et al. (2019), arXiv:1810.01367.
    """
    positive("flow", steps=steps)
    trace, solve = trace or exact(), solve or partial(runge_kutta, steps=steps)

    def field(params, cond):
        return lambda x, t: velocity.apply(params, x, t, cond)

    def with_weight(params, key, x, cond):
        v, probes = field(params, cond), trace.draw(key, x.size)

        def d_dt(x_w, t):
            x, _ = x_w
            dx, product = jax.linearize(lambda x: v(x, t), x)
            return dx, -trace.of(jax.vmap(product), probes)

        return d_dt

    def forward(params, key, z, cond=None):
        return solve(field(params, cond), z, 0.0, 1.0)

    def joint(params, key, z, cond=None):
        return solve(with_weight(params, key, z, cond), (z, jnp.zeros(())), 0.0, 1.0)

    def inverse(params, key, x, cond=None):
        # running back, the weight comes out with the sign of the path run backwards
        z, weight = solve(with_weight(params, key, x, cond), (x, jnp.zeros(())), 1.0, 0.0)
        return z, -weight

    return Transform(velocity.init, forward, Exact(inverse), joint)
