"""What the families share that draw one symbol after another."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Causal, Density, Event, Model, Network, Player, Transform, each, pushforward
from ..distributions import Conditional
from ..distributions import autoregressive as chain_rule
from ..transforms import affine, invert, reshape, spread, squash
from .gaussian import fitted


def symbols_of(event: Event, bins: int) -> tuple[int, int]:
    """How many symbols an event is, and of how many levels: its own, or `bins` cells an axis for reals."""
    return math.prod(event.shape), event.levels or bins


def cells(event: Event, bins: int) -> dict[str, Transform[Density]]:
    """The steps from symbols to reals: a histogram of `bins` cells an axis, stretched over the line, placed.

    A real lies anywhere in its cell. `placed` finds where the data are.
    """
    d, levels = symbols_of(event, bins)
    return {
        "cell": spread((d,), levels),
        "line": invert(squash(d, margin=0.0)),
        "place": affine(d),
        "data": reshape(event.shape),
    }


def placed(params, batch):
    """The parameters of "place" that have the data's mean and covariance."""
    return params | {"place": fitted(batch.x.reshape(len(batch.x), -1))}


def chain(
    event: Event, network: Network | Causal, bins: int, conditional: Conditional | None = None
) -> Model:
    """The model of a network of logits; `network.apply(params, symbols, cond, key)` drops units, by the key.

    Symbols are modelled as they are, reals as `cells`. The distribution is that of the network without a key.
    """
    d, levels = symbols_of(event, bins)

    def distribution_of(network):
        if event.levels is not None:
            return chain_rule(network, event.shape, levels, conditional=conditional)
        symbols = chain_rule(network, (d,), levels, conditional=conditional)
        return pushforward(symbols, **cells(event, bins))

    def dropped(params, key, x, cond):
        noisy = network._replace(apply=lambda p, symbols, c: network.apply(p, symbols, c, key))
        return distribution_of(noisy).density.fn(params, key, x, cond)

    def loss(params, carry, key, batch):
        nats = -jnp.mean(each(dropped, params, key, batch))
        return nats, (carry, {"nats": nats})

    def prepare(params, key, batch):
        return params if event.levels is not None else placed(params, batch)

    return Model(distribution_of(network), {"chain": Player(("logits",), loss)}, prepare=prepare)
