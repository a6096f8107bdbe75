"""The flow of a velocity field: an ordinary differential equation as a transform."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.check import positive
from ..integrate.ode import runge_kutta


def flow(velocity: Network, steps: int = 32) -> Transform[Exact]:
    """`x(1)` of `dx/dt = v(x, t, cond)` from `x(0) = z`: t = 0 is the base, t = 1 the data.

    `velocity.apply(params, x, t, cond)` is `f32[d]` for `x: f32[d]` and a scalar t. The weight is
    `-integral of div v dt` along the path, the divergence exact (d Jacobian-vector products an
    evaluation); the claim is exact up to the error of `steps` Runge-Kutta steps.

    Chen et al. (2018), arXiv:1806.07366.
    """

    positive("flow", steps=steps)

    def field(params, cond):
        return lambda x, t: velocity.apply(params, x, t, cond)

    def with_weight(params, cond):
        v = field(params, cond)

        def d_dt(x_w, t):
            x, _ = x_w
            basis = jnp.eye(x.size)
            dx, jacobian = jax.vmap(
                lambda e: jax.jvp(lambda x: v(x, t), (x,), (e,)), out_axes=(None, 0)
            )(basis)
            return dx, -jnp.trace(jacobian)

        return d_dt

    def forward(params, key, z, cond=None):
        return runge_kutta(field(params, cond), z, 0.0, 1.0, steps)

    def joint(params, key, z, cond=None):
        return runge_kutta(with_weight(params, cond), (z, jnp.zeros(())), 0.0, 1.0, steps)

    def inverse(params, key, x, cond=None):
        # running back, the weight comes out with the sign of the path run backwards
        z, weight = runge_kutta(with_weight(params, cond), (x, jnp.zeros(())), 1.0, 0.0, steps)
        return z, -weight

    return Transform(velocity.init, forward, Exact(inverse), joint)
