"""An autoregressive model of symbols: MADE."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, each, pushforward
from ..distributions import autoregressive as chain_rule
from ..networks import made
from ..transforms import affine, invert, reshape, spread, squash
from .gaussian import fitted


def autoregressive(
    event: Event,
    width: int = 512,
    depth: int = 2,
    waves: int = 8,
    dropout: float = 0.5,
    bins: int = 64,
) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, every conditional from one masked network. Claim: Exact.

    Symbols are modelled as they are. Reals are a histogram of `bins` cells an axis, spread uniformly
    in each cell and stretched over the line, to the data's mean and covariance, which `prepare` finds.
    While training, a key drops hidden units; the distribution is that of the mean network.

    Example: `autoregressive(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Germain et al. (2015), arXiv:1502.03509; Srivastava et al. (2014), JMLR 15.
    """
    d, levels = math.prod(event.shape), event.levels or bins
    network = made(d, levels, event.classes, width, depth, waves, dropout)

    def distribution_of(network):
        if event.levels is not None:
            return chain_rule(network, event.shape, levels)
        steps = {"cell": spread((d,), levels), "line": invert(squash(d, margin=0.0))}
        place = {"place": affine(d), "data": reshape(event.shape)}
        return pushforward(chain_rule(network, (d,), levels), **steps, **place)

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


def preset(event: Event) -> dict:
    return {"steps": 1000, "batch": 128, "average": 0.99}


def tiny() -> tuple[Model, Batch]:
    first = jax.random.bernoulli(jax.random.key(0), 0.7, (256, 1)).astype(jnp.uint8)
    x = jnp.concatenate([first, 1 - first, first * 2], 1)
    return autoregressive(Event((3,), levels=3), width=16), Batch(x)
