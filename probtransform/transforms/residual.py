"""Residual flows: a vector and a contraction of it, undone by a fixed point."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive
from .contraction import Contraction


def residual(
    network: Contraction, size: int, exact: int = 64, terms: int = 4, steps: int | None = None
) -> Transform[Exact]:
    """`z = x + g(x)` from data to base, in one pass as likelihood wants it; `x = z - g(x)` is solved.

    The weight is `log det(I + J)`, J the Jacobian of g: of the matrix itself up to `exact` numbers, above
    that the unbiased `estimate` of its power series, which draws from the key (the claim: exact in
    expectation; the exponential of an estimate is biased, so do not sharpen it by importance weights).
    A sample is a fixed point, whose certificate is `error <= slope / (1 - slope) * last step`: where
    `steps` do not bring that down to rounding it is NaN; left out, they are as many as always do in exact
    arithmetic. Gradients are those of the implicit function. With a `contraction` the identity at first.

    Example: `residual(contraction(3), 3)` maps `z, x: f32[3]`. Behrmann et al. (2019), arXiv:1811.00995;
    Chen et al. (2019), arXiv:1906.02735. Raises ValueError unless the slope of `network` is in (0, 1).
    """
    slope = network.slope
    if not 0 < slope < 1:
        raise ValueError(
            f"residual: got a network of slope {slope}, wanted one in (0, 1), so that z = x + g(x) has one "
            "solution; pass a smaller slope"
        )
    positive("residual", size=size, terms=terms, steps=1 if steps is None else steps)

    def forward(params, key, z, cond=None):
        g = network.at(params, cond)
        return solution(lambda x: x + g(x), z, slope, steps)

    def inverse(params, key, x, cond=None):
        example("residual", x, (size,))
        if size > exact:
            moved, weight = estimate(network, params, key, x, cond, terms)
            return x + moved, weight
        g = network.at(params, cond)
        moved, jacobian = jax.vmap(
            lambda e: jax.jvp(g, (x,), (e,)), out_axes=(None, 1), axis_size=size
        )(jnp.eye(size, dtype=x.dtype))
        return x + moved, jnp.linalg.slogdet(jnp.eye(size) + jacobian)[1]

    return Transform(network.init, forward, Exact(inverse))


def solution(f, y, slope: float, steps: int | None = None):
    """`x` with `f(x) = y` for `f` the identity and a contraction of that slope, or NaN; `x, y: f32[d]`.

    `x <- x - (f(x) - y)` until what is left of the error is rounding. Its derivative solves a linear
    equation of the same kind in the same way, whatever d is.
    """

    def tangent(linear, y):
        def solve(linear, y):
            return fixed_point(lambda v: linear(v) - y, y, slope, steps, 0.0)

        return jax.lax.custom_linear_solve(linear, y, solve, solve)

    def solve(off, start):
        return fixed_point(off, start, slope, steps, 1.0)

    return jax.lax.custom_root(lambda x: f(x) - y, jax.lax.stop_gradient(y), solve, tangent)


def fixed_point(off, start, slope: float, steps: int | None, floor: float):
    """The root of `off`, the identity and a contraction: `x <- x - off(x)`, at most `steps` times, or NaN.

    A step of length s leaves an error of at most `s slope / (1 - slope)`. That is rounding where
    `s slope <= 8 eps (floor + |start| + |x|)`, as it is after `log(4 eps) / log(slope)` steps.
    """
    rounding = 8 * float(jnp.finfo(start.dtype).eps)
    most = math.ceil(math.log(rounding / 2) / math.log(slope)) if steps is None else steps

    def size(x):
        return floor + jnp.linalg.norm(start) + jnp.linalg.norm(x)

    def settled(at):
        x, step, _ = at
        return slope * step <= rounding * size(x)

    def closer(at):
        x, _, i = at
        step = off(x)
        return x - step, jnp.linalg.norm(step), i + 1

    x, step, i = closer((start, None, 0))
    at = jax.lax.while_loop(lambda at: ~settled(at) & (at[2] < most), closer, (x, step, i))
    sure = settled(at) & jnp.isfinite(size(at[0]))
    return jnp.where(sure, at[0], jnp.nan)


def estimate(network: Contraction, params, key, x, cond, terms: int):
    """`g(x)` and `sum_k (-1)^(k+1) / k v^T J^k v / P(n >= k)` over k = 1 .. n, v random signs, n random.

    Its mean is `log det(I + J)`, and that of its gradient the gradient. `P(n >= k)` is one up to `terms`
    and falls by the slope of the network from each term to the next, as fast as terms can fall: any
    faster, and the variance could be infinite. The gradient is that of `w^T J v` with
    `w = sum_k (-1)^(k+1) / P(n >= k) J^(k-1)^T v` held fixed, so that memory does not grow with n.
    Chen et al. (2019), arXiv:1906.02735.
    """
    signs, count = jax.random.split(key)
    v = jax.random.rademacher(signs, x.shape, x.dtype)
    n = terms - 1 + jax.random.geometric(count, 1 - network.slope)
    fixed = jax.lax.stop_gradient((params, cond, x))
    _, pull = jax.vjp(network.at(*fixed[:2]), fixed[2])

    def add(at):
        k, factor, row, of_value, of_slope = at
        of_value, of_slope = of_value + factor / k * row, of_slope + factor * row
        factor = -factor * jnp.where(k < terms, 1.0, 1 / network.slope)
        return k + 1, factor.astype(x.dtype), pull(row)[0], of_value, of_slope

    zeros = jnp.zeros_like(v)
    start = (1, jnp.ones((), x.dtype), v, zeros, zeros)
    *_, of_value, of_slope = jax.lax.while_loop(lambda at: at[0] <= n, add, start)
    moved, along = jax.jvp(network.at(params, cond), (x,), (v,))
    value, slope = of_value @ along, of_slope @ along
    return moved, slope + jax.lax.stop_gradient(value - slope)
