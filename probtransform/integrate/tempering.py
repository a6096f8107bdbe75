"""Parallel tempering: walks over one density at several temperatures, which trade places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def tempering(moves: Callable[..., Any], betas: Sequence[float]) -> Callable[..., Any]:
    """A kernel `(key, x, log_density) -> (x, acceptance of swaps)` on ladders `x: [len(betas), *event]`.

    It leaves the product of all `exp(betas[i] log_density)` invariant, that of `x[0]` the density itself.
    Each rung is moved by `moves(beta)`, a kernel such as `mala(0.1)` for all or `mala(0.1 / beta)`; then
    neighbours trade places with probability `min(1, exp((beta_i - beta_j) (log p(x_j) - log p(x_i))))`,
    those that begin at even rungs, then at odd ones. Hot rungs cross from well to well, cold ones are told.

    Example: `tempering(lambda beta: mala(0.1 / beta), [1, 0.5, 0.25])(key, jnp.zeros((3, 2)), log_density)`.
    Swendsen & Wang (1986); Geyer (1991). Raises ValueError unless betas fall from 1 and stay above 0.
    """
    falls = np.asarray(betas, np.float32)
    right = falls.ndim == 1 and len(falls) > 1 and falls[0] == 1 and falls[-1] > 0
    if not (right and (np.diff(falls) < 0).all()):
        raise ValueError(
            f"tempering: got betas={betas}, wanted two or more that fall from 1 and stay above 0; pass "
            "[1, 0.5, 0.25], say"
        )
    rungs = np.arange(len(falls))

    def kernel(key, x, log_density):
        walk, *swaps = jax.random.split(key, 3)

        def moved(key, beta, x):
            return moves(beta)(key, x, lambda y: beta * log_density(y))[0]

        x = jax.vmap(moved)(jax.random.split(walk, len(falls)), jnp.asarray(falls), x)
        nats, chances = jax.vmap(log_density)(x), []
        for first, key in enumerate(swaps):
            low = rungs[first : len(rungs) - 1 : 2]
            gain = (falls[low] - falls[low + 1]) * (nats[low + 1] - nats[low])
            chance = jnp.where(jnp.isnan(gain), 0.0, jnp.exp(jnp.minimum(gain, 0)))
            trade = jax.random.uniform(key, low.shape) < chance
            order = jnp.asarray(rungs).at[low].add(trade).at[low + 1].add(-trade.astype(int))
            x, nats = x[order], nats[order]
            chances.append(chance)
        return x, jnp.concatenate(chances).mean()

    return kernel
