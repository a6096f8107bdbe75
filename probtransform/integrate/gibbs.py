"""Gibbs sampling: each entry in turn is drawn anew, given all the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core.check import positive


def gibbs(levels: int) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, 1)` on integers 0 .. levels-1 that leaves the law invariant.

    One sweep: entry i is drawn from `p(x_i | all others)`, a softmax of log-densities over its levels, entry
    after entry, so that `d levels` densities are asked for. Any event shape, unnormalised densities too.
    Example: `gibbs(2)(key, jnp.zeros((3, 3), jnp.uint8), ising)`.

    Geman & Geman (1984), IEEE TPAMI 6. Raises ValueError unless there is a level.
    """
    positive("gibbs", levels=levels)

    def kernel(key, x, log_density):
        flat, shape = x.reshape(-1), x.shape

        def redraw(flat, entry):
            i, key = entry
            candidates = jax.vmap(flat.at[i].set)(jnp.arange(levels).astype(x.dtype))
            logits = jax.vmap(lambda y: log_density(y.reshape(shape)))(candidates)
            return candidates[jax.random.categorical(key, logits)], None

        entries = (jnp.arange(flat.size), jax.random.split(key, flat.size))
        return jax.lax.scan(redraw, flat, entries)[0].reshape(shape), jnp.ones(())

    return kernel
