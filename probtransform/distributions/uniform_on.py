"""The uniform distribution on a manifold."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from ..core import Distribution, Exact
from ..core.check import example


def uniform_on(manifold: Any) -> Distribution[Exact]:
    """Uniform on a compact `paths.Manifold`: `log p(x) = -log_volume` on it, -inf off it.

    The density is with respect to the volume of the manifold. Example: `uniform_on(sphere(2))` samples
    `f32[3]`, `log p = -log 4 pi`. Raises ValueError for a manifold of infinite volume, and for an `x` of
    another shape or of integers.
    """
    if manifold.uniform is None or not math.isfinite(manifold.log_volume):
        raise ValueError(
            f"uniform_on: got a manifold of log-volume {manifold.log_volume}, wanted a compact one; "
            "take another base, such as `normal`"
        )

    def sample(params, key, cond=None):
        return manifold.uniform(key)

    def log_density(params, key, x, cond=None):
        example("uniform_on", x, (manifold.size,))
        return jnp.where(manifold.contains(x), -manifold.log_volume, -jnp.inf)

    return Distribution(lambda key: {}, sample, Exact(log_density))
