"""Langevin's walk over a density, as it is and with the correction that makes it exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core.check import above_zero, positive


def langevin(step_size: float) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, 1)`: `x + h grad log p(x) + sqrt(2 h) e`, h the `step_size`.

    Its stationary law is `exp(log_density)` up to O(h): on N(0, 1) the variance is `1 / (1 - h / 2)`.
    Any event shape. Parisi (1981); Welling & Teh (2011).
    """
    above_zero("langevin", step_size=step_size)

    def kernel(key, x, log_density):
        return proposed(key, x, jax.grad(log_density)(x), step_size), jnp.ones(())

    return kernel


def mala(step_size: float, moves: int = 1) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, acceptance)` that leaves `exp(log_density)` invariant.

    The move of `langevin`, accepted with probability `min(1, p(y) q(x|y) / p(x) q(y|x))`; where the density
    of y is not a number it is refused. Several `moves` in one cost one slope each and one at the start, half
    of what as many kernels of one move cost; the acceptance is their mean. Any event shape.

    Roberts & Tweedie (1996), Bernoulli 2. Raises ValueError unless the step is above zero and moves at all.
    """
    above_zero("mala", step_size=step_size)
    positive("mala", moves=moves)

    def kernel(key, x, log_density):
        slope_of = jax.value_and_grad(log_density)

        def move(at, key):
            walk, accept = jax.random.split(key)
            x, here, slope = at
            y = proposed(walk, x, slope, step_size)
            there, back = slope_of(y)
            gain = there - here + log_q(x, y, back) - log_q(y, x, slope)
            chance = jnp.where(jnp.isnan(gain), 0.0, jnp.exp(jnp.minimum(gain, 0)))
            taken = jax.random.uniform(accept) < chance
            pairs = zip((y, there, back), at, strict=True)
            return tuple(jnp.where(taken, new, old) for new, old in pairs), chance

        def log_q(to, start, slope):
            return -jnp.sum((to - start - step_size * slope) ** 2) / (4 * step_size)

        keys = jax.random.split(key, moves)
        (end, _, _), chances = jax.lax.scan(move, (x, *slope_of(x)), keys)
        return end, chances.mean()

    return kernel


def proposed(key, x, slope, size):
    return x + size * slope + (2 * size) ** 0.5 * jax.random.normal(key, x.shape, x.dtype)
