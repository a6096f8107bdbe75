"""Learning how much two sides know of each other: a critic that makes a bound as great as it will go."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from ...core import Network
from .information import joint, log_mean_exp_apart

DECAY = 0.99  # of what MINE remembers of its denominator


def mutual_information(critic: Network, name: str, bound: Callable):
    """`-bound(scores)` of x and its condition: a player's loss, whose metric `nats` bounds `I(x; y)`.

    `critic.apply(params[name], x, y)` is the score f of ONE pair; all pairs of the batch are scored. Where an
    encoder is part of the critic, it learns to keep of x what y knows.

    Poole et al. (2019), arXiv:1905.06922.
    """

    def loss(params, carry, key, batch):
        nats = bound(scores_of(critic, params[name], batch))
        return -nats, (carry, {"nats": nats})

    return loss


def mine(critic: Network, name: str):
    """The same for `donsker_varadhan`, its slope unbiased: MINE, a player's loss.

    The slope of `log m`, m the mean of exp f apart, is `dm / m`, and a batch's m in the denominator is too
    small as often as too great, which does not cancel. Here it is a running mean, `carry["log_mean"]`, -inf
    before the first update: the number is the batch's own bound, the slope that of `m / running mean`.

    Belghazi et al. (2018), arXiv:1801.04062, section 3.2.
    """

    def loss(params, carry, key, batch):
        scores = scores_of(critic, params[name], batch)
        log_m = log_mean_exp_apart(scores)
        fresh = jax.lax.stop_gradient(log_m)
        known = jnp.logaddexp(carry["log_mean"] + jnp.log(DECAY), fresh + jnp.log1p(-DECAY))
        known = jnp.where(jnp.isneginf(carry["log_mean"]), fresh, known)
        ratio = jnp.exp(log_m - known)
        nats = joint(scores) - (fresh + ratio - jax.lax.stop_gradient(ratio))
        return -nats, (carry | {"log_mean": known}, {"nats": nats})

    return loss


def remembered(key):
    """`{"log_mean": -inf}`, what a model that learns by `mine` carries."""
    return {"log_mean": jnp.array(-jnp.inf)}


def scores_of(critic: Network, params, batch):
    """`f32[n, n]`, every x with every condition."""
    row = jax.vmap(critic.apply, (None, None, 0))
    return jax.vmap(row, (None, 0, None))(params, batch.x, batch.cond)
