"""Exact assignment inside a jitted step: potentials on the device, the last word on the host."""

from __future__ import annotations

import os

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import linear_sum_assignment

from .shortest_paths import shortest_paths

STAGES, ROUNDS, COOLING = 5, 10, 0.3  # the fewest that bring most of the gain


def assignment(cost):
    """The permutation i of least `sum_j cost[j, i_j]`, for `cost: [n, n]`: `int32 [n]`.

    Infinite costs forbid a pair; the diagonal must be allowed. A matrix with NaNs gives the identity, so
    that the loss, not the host, is where it surfaces. Under vmap each matrix is solved in turn.

    Kuhn (1955); Crouse (2016), IEEE TAES 52.
    """
    if one_core():
        # a search among NaNs would not end; of these costs the identity is best
        away = 1 - jnp.eye(len(cost), dtype=cost.dtype)
        return shortest_paths(reduced(jnp.where(jnp.isnan(cost).any(), away, cost)))
    shape = jax.ShapeDtypeStruct(cost.shape[:-1], jnp.int32)
    return jax.pure_callback(solve, shape, reduced(cost), vmap_method="expand_dims")


def one_core() -> bool:
    """Whether the host would wait for the very core that waits for the host: it must not be asked then."""
    known = hasattr(os, "sched_getaffinity")
    return (len(os.sched_getaffinity(0)) if known else os.cpu_count()) == 1


def solve(cost) -> np.ndarray:
    cost = np.asarray(cost)
    stack = cost.reshape(-1, *cost.shape[-2:])
    best = [np.arange(len(c)) if np.isnan(c).any() else linear_sum_assignment(c)[1] for c in stack]
    return np.array(best, np.int32).reshape(cost.shape[:-1])


def reduced(cost):
    """`cost[j, i] - f_j - g_i`, which has the same best permutation for any f and g.

    The nearer f and g to the dual optimum, the shorter the paths the host must search: near it, a
    tenth of the time. A few rounds of Sinkhorn at falling temperatures get near for next to nothing;
    they need not converge, only be finite.
    """
    cost = cost - jnp.min(cost, 1, keepdims=True)
    cost = cost - jnp.min(cost, 0)
    scale = 0.3 * jnp.mean(cost, where=jnp.isfinite(cost)) + 1e-30

    def stage(s, potentials):
        f, g = potentials
        epsilon = scale * COOLING**s
        kernel = jnp.exp((f[:, None] + g - cost) / epsilon)

        def balance(_, u_v):
            u = 1 / (kernel @ u_v[1] + 1e-30)
            return u, 1 / (u @ kernel + 1e-30)

        u, v = jax.lax.fori_loop(0, ROUNDS, balance, (jnp.ones_like(f), jnp.ones_like(g)))
        return f + epsilon * jnp.log(u), g + epsilon * jnp.log(v)

    start = jnp.zeros_like(cost[:, 0]), jnp.zeros_like(cost[0])
    f, g = jax.lax.fori_loop(0, STAGES, stage, start)
    return cost - f[:, None] - g
