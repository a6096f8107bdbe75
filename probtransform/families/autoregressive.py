"""An autoregressive model of symbols: MADE."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player
from ..distributions import autoregressive as chain_rule
from ..networks import made
from ..objectives import likelihood


def autoregressive(event: Event, width: int = 512, depth: int = 2) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, every conditional from one masked network. Claim: Exact.

    Example: `autoregressive(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Germain et al. (2015), arXiv:1502.03509. Raises ValueError for real data, which has no symbols.
    """
    if event.levels is None:
        raise ValueError(
            f"autoregressive: got real numbers of shape {event.shape}, wanted levels; "
            "choose realnvp or flow_matching, or quantise the data"
        )
    network = made(math.prod(event.shape), event.levels, event.classes, width, depth)
    distribution = chain_rule(network, event.shape, event.levels)
    return Model(distribution, {"chain": Player(("logits",), likelihood(distribution))})


def preset(event: Event) -> dict:
    return {"steps": 300, "batch": 128}


def tiny() -> tuple[Model, Batch]:
    first = jax.random.bernoulli(jax.random.key(0), 0.7, (256, 1)).astype(jnp.uint8)
    x = jnp.concatenate([first, 1 - first, first * 2], 1)
    return autoregressive(Event((3,), levels=3), width=16), Batch(x)
