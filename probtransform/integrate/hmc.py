"""Hamiltonian Monte Carlo: a kernel that leaves a density invariant, for one chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core.check import above_zero, positive


def hmc(step_size: float, leapfrogs: int = 10) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, acceptance)` that leaves `exp(log_density)` invariant.

    A momentum `p ~ N(0, I)` is drawn, `leapfrogs` steps of size `step_size` follow the energy
    `-log_density(x) + |p|^2 / 2`, and the end is accepted with probability `min(1, exp(-dH))`.
    The step is jittered by up to a fifth, so that no orbit closes. `x: f32[d]`, any event shape.

    Neal (2011), arXiv:1206.1901. Raises ValueError unless the step is above zero and there is one.
    """
    above_zero("hmc", step_size=step_size)
    positive("hmc", leapfrogs=leapfrogs)

    def kernel(key, x, log_density):
        momentum, jitter, accept = jax.random.split(key, 3)
        p = jax.random.normal(momentum, x.shape)
        h = step_size * jax.random.uniform(jitter, minval=0.8, maxval=1.2)
        slope = jax.value_and_grad(log_density)
        here, force = slope(x)

        def leapfrog(at, _):
            x, p, _, force = at
            p = p + h / 2 * force
            x = x + h * p
            there, force = slope(x)
            return (x, p + h / 2 * force, there, force), None

        (end, q, there, _), _ = jax.lax.scan(leapfrog, (x, p, here, force), None, leapfrogs)
        gain = there - here + (jnp.vdot(p, p) - jnp.vdot(q, q)) / 2
        chance = jnp.where(jnp.isnan(gain), 0.0, jnp.exp(jnp.minimum(gain, 0)))
        return jnp.where(jax.random.uniform(accept) < chance, end, x), chance

    return kernel
