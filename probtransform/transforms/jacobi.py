"""Autoregressive flows sampled in parallel: all entries at once, again and again until they agree."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core import Causal, Exact, Transform
from ..core.check import positive
from .masked_autoregressive import masked_autoregressive
from .scalar import Scalar, shift_and_scale


class Swept(NamedTuple):
    """What sweeps came to: `residual` is `max |x - f(z; theta(x))| / (1 + |x|)` over the entries."""

    x: Any
    log_slope: Any
    residual: Any
    sweeps: Any


def sweep(network: Causal, scalar: Scalar, params, z, cond, sweeps: int, tolerance, blocks: int):
    """Solve `x = f(z; theta(x))` for `x: f32[d, ...]`, in the network's own order, as a `Swept`.

    A sweep answers all entries of a block at once. The k-th entry of a block is exact after k + 1 sweeps
    over it, whatever the network, so that a block's size is always enough; most need far fewer. One block
    is Jacobi's method, more of them, one after another, are Gauss-Seidel's over blocks; `sweeps` is the
    most that one block gets.
    """
    d = len(z)
    size = -(-d // blocks)
    block = jnp.reshape(jnp.arange(d) // size, (d, *[1] * (z.ndim - 1)))

    def once(x):
        return jax.vmap(scalar.forward)(network.apply(params, x, cond), z)

    def solve(at, b):
        def sweep(state):
            x, _, count = state
            new = jnp.where(block == b, once(x)[0], x)
            return new, jnp.max(jnp.abs(new - x) / (1 + jnp.abs(new))), count + 1

        def unfinished(state):
            return ~(state[1] <= tolerance) & (state[2] < min(sweeps, size))

        x, _, count = jax.lax.while_loop(unfinished, sweep, (at[0], jnp.inf, 0))
        return (x, at[1] + count), None

    (x, count), _ = jax.lax.scan(solve, (z, 0), jnp.arange(blocks))
    again, log_slope = once(x)
    return Swept(x, log_slope, jnp.max(jnp.abs(again - x) / (1 + jnp.abs(x))), count)


def jacobi(
    network: Causal,
    order,
    scalar: Scalar | None = None,
    sweeps: int | None = None,
    tolerance: float = 1e-5,
    blocks: int = 1,
) -> Transform[Exact]:
    """`masked_autoregressive` with its sampling in parallel sweeps: the same map, the same parameters.

    Sampling stops when a sweep changes no entry of a block by more than `tolerance`, relative to `1 + |x|`,
    and then checks the residual of the whole; a sample whose residual is above it is NaN, never a wrong
    number. With `sweeps` left out each block gets as many as make it exact. Sampling has no reverse mode.

    Example: `z, x: f32[d]`. Song et al. (2021), arXiv:2002.03629.
    Raises ValueError if `sweeps` or `blocks` is less than one.
    """
    scalar, order = scalar or shift_and_scale(), jnp.asarray(order)
    most = len(order) if sweeps is None else sweeps
    positive("jacobi", sweeps=most, blocks=blocks)
    place = jnp.argsort(order)

    def joint(params, key, z, cond=None):
        found = sweep(network, scalar, params, z[order], cond, most, tolerance, blocks)
        sure = found.residual <= tolerance
        x = jnp.where(sure, found.x, jnp.nan)
        return x[place], jnp.where(sure, -found.log_slope.sum(), jnp.nan)

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    return masked_autoregressive(network, order, scalar)._replace(forward=forward, joint=joint)
