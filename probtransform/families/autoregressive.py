"""An autoregressive model of symbols: MADE."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model
from ..networks import made
from .chain import chain, symbols_of


def autoregressive(
    event: Event,
    width: int = 512,
    depth: int = 2,
    waves: int = 8,
    dropout: float = 0.5,
    bins: int = 64,
) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, every conditional from one masked network. Claim: Exact.

    Symbols are modelled as they are, reals as a histogram of `bins` cells an axis, stretched over the
    line. While training, a key drops hidden units; the distribution is that of the mean network.

    Example: `autoregressive(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Germain et al. (2015), arXiv:1502.03509; Srivastava et al. (2014), JMLR 15.
    """
    d, levels = symbols_of(event, bins)
    return chain(event, made(d, levels, event.classes, width, depth, waves, dropout), bins)


def preset(event: Event) -> dict:
    width = max(512, math.prod(event.shape))
    return {"steps": 1000, "batch": 128, "average": 0.99, "width": width}


def tiny() -> tuple[Model, Batch]:
    return autoregressive(Event((3,), levels=3), width=16), three_symbols()


def three_symbols() -> Batch:
    """256 triples: a coin, its opposite, twice the coin."""
    first = jax.random.bernoulli(jax.random.key(0), 0.7, (256, 1)).astype(jnp.uint8)
    return Batch(jnp.concatenate([first, 1 - first, first * 2], 1))
