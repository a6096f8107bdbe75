"""A loss whose weight changes as training goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp


def counter(key):
    """The carry of `scheduled`: how many of its updates were made."""
    return {"updates": jnp.zeros((), jnp.int32)}


def scheduled(weighted: Callable[[Any], Callable], schedule: Callable[[Any], Any]):
    """The loss `weighted(schedule(n))` at its update n, from 0: a player's loss, that counts its updates.

    `weighted(w)` is a loss `(params, carry, key, batch) -> (scalar, (carry, metrics))` for a number w that
    is known in the program alone; `schedule` may be one of optax. The carry holds what `counter` begins, and
    what the loss itself carries beside it.

    Example: a critic whose slopes are paid for less and less, as Huang et al. (2025), arXiv:2501.05441,
    `scheduled(lambda w: adversarial(law, critic, game, [r1(w)])[0], optax.linear_schedule(0.1, 0.01, 1000))`.
    """

    def loss(params, carry, key, batch):
        weight = schedule(carry["updates"])
        value, (carry, metrics) = weighted(weight)(params, carry, key, batch)
        return value, (carry | {"updates": carry["updates"] + 1}, metrics | {"weight": weight})

    return loss
