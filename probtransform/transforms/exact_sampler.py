"""The likelihood of a sampler itself: of the few steps that are taken, not of the equation they follow."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..integrate import Table, run


def exact_sampler(network: Network, table: Table, rounds: int = 6) -> Transform[Exact]:
    """`sampler(network, table)` as a bijection of `f32[d]`: its weight is minus log|det| of the whole run.

    A row that looks at no earlier prediction is `x' = c x + e f(x, t)`, and the determinant a product over
    rows, `sum log|det(c I + e J)|`; otherwise it is that of the run's Jacobian. Both cost d products with J
    a call. Back, rows are undone one by one, by `rounds` Newton steps each, as if earlier predictions were
    the newest; where they were not, as many steps for the whole run follow. Where the result does not
    lead back to x it is NaN: the steps are too long for a way back. The claim is that of the sampler, and
    tends to that of `probability_flow` as steps get shorter.

    Song et al. (2021), arXiv:2010.02502 (its inversion). Raises ValueError for a table that draws noise, or
    calls the network more than once a step (`heun`, `unipc`).
    """
    if table.noise is not None or table.base is not None:
        raise ValueError(
            "exact_sampler: got a table that draws noise or needs several calls a step, wanted one call a "
            "step and no noise; use euler, ddim, dpm_solver, dpm_solver_pp or deis"
        )
    alone = table.point.shape[1] == 2
    sums = table.point[:, 1:].sum(1)
    keep = table.point[:, 0] + sums * table.read[:, 0]
    steps = (table.t, keep, sums * table.read[:, 1])

    def moved(params, cond, row, x):
        t, keep, gain = row
        return keep * x + gain * network.apply(params, x, t, cond)

    def rows(x):
        return jax.tree.map(lambda c: jnp.asarray(c, x.dtype), steps)

    def forward(params, key, z, cond=None):
        return run(table, lambda x, t: network.apply(params, x, t, cond), z)

    def joint(params, key, z, cond=None):
        if not alone:
            x, jacobian = with_jacobian(lambda z: forward(params, None, z, cond), z)
            return x, -log_det(jacobian)

        def ahead(carry, row):
            x, weight = carry
            x, jacobian = with_jacobian(partial(moved, params, cond, row), x)
            return (x, weight - log_det(jacobian)), None

        x = table.start * z
        start = (x.astype(z.dtype), jnp.asarray(-z.size * jnp.log(table.start), z.dtype))
        return jax.lax.scan(ahead, start, rows(z))[0]

    def inverse(params, key, x, cond=None):
        def back(x, row):
            keep = row[1]
            return newton(partial(moved, params, cond, row), x, x / keep, rounds), None

        z = jax.lax.scan(back, x, rows(x), reverse=True)[0] / table.start
        z = z.astype(x.dtype)
        if not alone:
            z = newton(lambda z: forward(params, None, z, cond), x, z, rounds)
        there, weight = joint(params, key, z, cond)
        near = jnp.linalg.norm(there - x) <= 1e-3 * (1 + jnp.linalg.norm(x))
        return jnp.where(near, z, jnp.nan), jnp.where(near, weight, jnp.nan)

    return Transform(network.init, forward, Exact(inverse), joint)


def with_jacobian(f, x):
    """`f(x)` and its Jacobian `[d, d]`, one column a direction."""
    value, along = jax.linearize(f, x)
    return value, jax.vmap(along, out_axes=1)(jnp.eye(x.size, dtype=x.dtype))


def log_det(matrix):
    return jnp.linalg.slogdet(matrix)[1]


def newton(f, y, start, rounds: int):
    """The x near `start` with `f(x) = y`, by `rounds` Newton steps, of which the last has the gradient."""

    def closer(x, _=None):
        value, jacobian = with_jacobian(f, x)
        return x - jnp.linalg.solve(jacobian, value - y), None

    x, _ = jax.lax.scan(closer, start, length=rounds - 1)
    return closer(jax.lax.stop_gradient(x))[0]
