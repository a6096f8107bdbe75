"""Reverse divergence: fit a distribution to a density that is known, up to a constant, but not sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Exact, sample_and_log_density


def reverse_kl(distribution: Distribution[Exact], log_target: Callable[[Any, Any], Any]):
    """The loss `E_q[log q(x) - log f(x)]` over draws x of the distribution q: a player's loss, in nats.

    `log_target(x, cond)` is the log of an unnormalised density f of ONE example; the loss is
    `KL(q || f/Z) - log Z`, so it never falls below `-log Z`. A batch gives the number of draws and
    their conditions; its examples are not looked at, so `Batch(zeros((n, 0)))` serves.
    What q misses it does not see: look at `evaluation.reweighted`.

    Rezende & Mohamed (2015), arXiv:1505.05770; Noé et al. (2019), arXiv:1812.01729. Raises ValueError
    unless the claim is Exact: below a bound on log q the loss would fall without end.
    """
    if not isinstance(distribution.density, Exact):
        raise ValueError(
            f"reverse_kl: got a claim of {type(distribution.density).__name__}, wanted Exact; use a flow or "
            "another map whose density is exact"
        )

    def gap(params, key, cond):
        x, log_q = sample_and_log_density(distribution, params, key, cond)
        return log_q - log_target(x, cond)

    def loss(params, carry, key, batch):
        keys = jax.random.split(key, len(batch.x))
        nats = jnp.mean(jax.vmap(gap, (None, 0, 0))(params, keys, batch.cond))
        return nats, (carry, {"reverse_kl": nats})

    return loss
