"""The posterior of a deep Boltzmann machine as if its units were independent: a fixed point of means."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from ..core.check import positive
from .harmonium import Harmonium
from .observation import bernoulli


def mean_field(machine: Harmonium, top: int, updates: int = 30):
    """`(params, v, cond) -> (below: f32[hidden], above: f32[top])`, logits of `q(h, t|v) = q(h) q(t)`.

    The machine couples h to pairs (v, t), `t` the `top` bits of the layer above: with v, h and t in a row it
    is a deep Boltzmann machine of two hidden layers. Each layer's logits given the means of its neighbours
    are the best there are, in turn, so that `E_q[-E(v, h, t)] + H(q)` never falls.

    Example: `mean_field(machine, 16)` for `harmonium(beside(bits((64,)), bits((16,))), 12)`.
    Salakhutdinov & Hinton (2009), AISTATS. Raises ValueError for no top unit, or no update.
    """
    positive("mean_field", top=top, updates=updates)

    def logits(params, v, cond=None):
        across = params["machine"]["weights"][-top:]
        alone = machine.hidden(params, (v, jnp.zeros(top, jnp.uint8)), cond)

        def update(above, _):
            below = alone + sigmoid(above) @ across
            return machine.visible(params, sigmoid(below))[-top:], None

        above, _ = jax.lax.scan(update, jnp.zeros(top), None, updates)
        return alone + sigmoid(above) @ across, above

    return logits


def above_by_mean_field(machine: Harmonium, top: int, updates: int = 30):
    """`(params, key, v, cond) -> (t, log q(t|v))`: the top layer drawn, that between is left to its sum.

    With `forgetting` this is a bound at least as tight as that of mean field, whose h is guessed too.
    """
    logits, coins = mean_field(machine, top, updates), bernoulli((top,))

    def guess(params, key, v, cond=None):
        _, above = logits(params, v, cond)
        t = coins.sample(above, key)
        return t, coins.log_prob(above, t)

    return guess
