"""A causal transformer over symbols: each read in the light of all before it."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model
from ..networks.causal_transformer import causal_transformer
from .autoregressive import three_symbols
from .chain import chain, symbols_of


def transformer(
    event: Event,
    width: int = 64,
    depth: int = 3,
    heads: int = 4,
    dropout: float = 0.2,
    bins: int = 64,
) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, every conditional from one causal transformer. Claim: Exact.

    Sampling keeps keys and values, so that a symbol costs one place of the network and not all. Symbols
    are modelled as they are, reals as a histogram of `bins` cells an axis, stretched over the line.

    Example: `transformer(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Vaswani et al. (2017), arXiv:1706.03762; Chen et al. (2020), ICML 119 (Image GPT).
    """
    d, levels = symbols_of(event, bins)
    network = causal_transformer(d, levels, levels, event.classes, width, depth, heads, dropout)
    return chain(event, network, bins)


def preset(event: Event) -> dict:
    if math.prod(event.shape) > 500:  # attention costs the square of that
        return {"steps": 500, "batch": 4, "rate": 2e-3, "average": 0.99}
    return {"steps": 1000, "batch": 64, "rate": 2e-3, "weight_decay": 0.1, "average": 0.99}


def tiny() -> tuple[Model, Batch]:
    return transformer(Event((3,), levels=3), width=8, depth=1, heads=2), three_symbols()
