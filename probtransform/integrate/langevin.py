"""Langevin's walk over a density, as it is and with the correction that makes it exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core.check import above_zero


def langevin(step_size: float) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, 1)`: `x + h grad log p(x) + sqrt(2 h) e`, h the `step_size`.

    Its stationary law is `exp(log_density)` up to O(h): on N(0, 1) the variance is `1 / (1 - h / 2)`.
    Any event shape. Parisi (1981); Welling & Teh (2011).
    """
    above_zero("langevin", step_size=step_size)

    def kernel(key, x, log_density):
        return proposed(key, x, jax.grad(log_density)(x), step_size), jnp.ones(())

    return kernel


def mala(step_size: float) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, acceptance)` that leaves `exp(log_density)` invariant.

    The move of `langevin`, accepted with probability `min(1, p(y) q(x|y) / p(x) q(y|x))`; where the density
    of y is not a number it is refused. Any event shape. Roberts & Tweedie (1996), Bernoulli 2.
    """
    above_zero("mala", step_size=step_size)

    def kernel(key, x, log_density):
        move, accept = jax.random.split(key)
        here, slope = jax.value_and_grad(log_density)(x)
        y = proposed(move, x, slope, step_size)
        there, back = jax.value_and_grad(log_density)(y)

        def log_q(to, start, slope):
            return -jnp.sum((to - start - step_size * slope) ** 2) / (4 * step_size)

        gain = there - here + log_q(x, y, back) - log_q(y, x, slope)
        chance = jnp.where(jnp.isnan(gain), 0.0, jnp.exp(jnp.minimum(gain, 0)))
        return jnp.where(jax.random.uniform(accept) < chance, y, x), chance

    return kernel


def proposed(key, x, slope, size):
    return x + size * slope + (2 * size) ** 0.5 * jax.random.normal(key, x.shape, x.dtype)
