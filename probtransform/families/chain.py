"""What the families share that draw one symbol after another."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Causal, Event, Model, Network, Player, each, pushforward
from ..distributions import Conditional
from ..distributions import autoregressive as chain_rule
from ..transforms import affine, invert, reshape, spread, squash
from .gaussian import fitted


def symbols_of(event: Event, bins: int) -> tuple[int, int]:
    """How many symbols an event is, and of how many levels: its own, or `bins` cells an axis for reals."""
    return math.prod(event.shape), event.levels or bins


def chain(
    event: Event, network: Network | Causal, bins: int, conditional: Conditional | None = None
) -> Model:
    """The model of a network of logits; `network.apply(params, symbols, cond, key)` drops units, by the key.

    Symbols are modelled as they are. Reals are a histogram of `bins` cells an axis, spread uniformly
    in each cell and stretched over the line, to the data's mean and covariance, which `prepare` finds.
    The distribution is that of the network without a key.
    """
    d, levels = symbols_of(event, bins)

    def distribution_of(network):
        if event.levels is not None:
            return chain_rule(network, event.shape, levels, conditional=conditional)
        steps = {"cell": spread((d,), levels), "line": invert(squash(d, margin=0.0))}
        place = {"place": affine(d), "data": reshape(event.shape)}
        symbols = chain_rule(network, (d,), levels, conditional=conditional)
        return pushforward(symbols, **steps, **place)

    def dropped(params, key, x, cond):
        noisy = network._replace(apply=lambda p, symbols, c: network.apply(p, symbols, c, key))
        return distribution_of(noisy).density.fn(params, key, x, cond)

    def loss(params, carry, key, batch):
        nats = -jnp.mean(each(dropped, params, key, batch))
        return nats, (carry, {"nats": nats})

    def prepare(params, key, batch):
        if event.levels is not None:
            return params
        return params | {"place": fitted(batch.x.reshape(len(batch.x), d))}

    return Model(distribution_of(network), {"chain": Player(("logits",), loss)}, prepare=prepare)
