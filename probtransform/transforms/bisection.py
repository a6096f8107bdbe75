"""The inverse of a monotone function of one number, certified: right, or NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def solve_increasing(f: Callable[[Any], Any], y):
    """`z` with `f(z) = y` for an increasing `f` of one number, both scalars.

    An interval around y doubles until `f(low) <= y <= f(high)`, is halved until it holds a few floats,
    and two Newton steps polish. The certificate: the slope at z is positive, and
    `|f(z) - y|` is rounding; where it fails, because f is flat, jumps or never reaches y, z is NaN,
    never a wrong number. Gradients are those of the implicit function: `dz = (dy - df) / f'(z)`.
    """
    y = jnp.asarray(y)
    eps = jnp.finfo(y.dtype).eps

    def solve(g, start):
        # g(z) = f(z) - y
        low, high = halved(g, bracket(g, start), eps)
        z = (low + high) / 2
        for _ in range(2):
            value, slope = with_slope(g, z)
            polished = z - value / jnp.where(slope > 0, slope, 1.0)
            z = jnp.where(abs(g(polished)) < abs(value), polished, z)
        value, slope = with_slope(g, z)
        rounding = 64 * eps * (abs(y) + slope * abs(z) + 1)
        return jnp.where((slope > 0) & (abs(value) <= rounding), z, jnp.nan)

    return jax.lax.custom_root(
        lambda z: f(z) - y, jax.lax.stop_gradient(y), solve, lambda g, t: t / g(jnp.ones_like(t))
    )


def with_slope(g, z):
    return jax.jvp(g, (z,), (jnp.ones_like(z),))


def bracket(g, start):
    """`low <= high` with `g(low) <= 0 <= g(high)`, at most 2^120 wide: within single precision."""

    def missing(at):
        low, high, step = at
        return ((g(low) > 0) | (g(high) < 0)) & (step < 2.0**120)

    def wider(at):
        low, high, step = at
        return (
            jnp.where(g(low) > 0, low - step, low),
            jnp.where(g(high) < 0, high + step, high),
            2 * step,
        )

    one = jnp.ones_like(start)
    return jax.lax.while_loop(missing, wider, (start - one, start + one, one))[:2]


def halved(g, interval, eps):
    """The same bracket, halved until it holds a few floats; 200 halvings pass through any."""

    def wide(at):
        low, high, i = at
        return (high - low > 2 * eps * jnp.maximum(abs(low), abs(high))) & (i < 200)

    def half(at):
        low, high, i = at
        middle = low + (high - low) / 2
        below = g(middle) < 0
        return jnp.where(below, middle, low), jnp.where(below, high, middle), i + 1

    return jax.lax.while_loop(wide, half, (*interval, 0))[:2]
