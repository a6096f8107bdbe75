"""Bases: distributions without parameters that are easy to sample."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Distribution, Exact
from ..core.check import example


def normal(shape: tuple[int, ...]) -> Distribution[Exact]:
    """The standard normal N(0, I) on real arrays: `log p(x) = -|x|^2/2 - (d/2) log 2 pi`.

    Example: `normal((2,))` samples `f32[2]`. Raises ValueError for an `x` of another shape or of integers.
    """

    def sample(params, key, cond=None):
        return jax.random.normal(key, shape)

    def log_density(params, key, x, cond=None):
        example("normal", x, shape)
        return jax.scipy.stats.norm.logpdf(x).sum()

    return Distribution(lambda key: {}, sample, Exact(log_density))


def uniform(shape: tuple[int, ...]) -> Distribution[Exact]:
    """The uniform distribution on the cube [-1, 1]^d: `log p(x) = -d log 2` inside, -inf outside.

    Example: `uniform((2,))` samples `f32[2]`. Raises ValueError for an `x` of another shape or of integers.
    """

    def sample(params, key, cond=None):
        return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0)

    def log_density(params, key, x, cond=None):
        example("uniform", x, shape)
        return jnp.where(jnp.abs(x) <= 1.0, -jnp.log(2.0), -jnp.inf).sum()

    return Distribution(lambda key: {}, sample, Exact(log_density))
