"""The restricted Boltzmann machine of bits, or of symbols of more levels."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model
from ..distributions.layer import units
from .gaussian_rbm import gaussian_rbm
from .restricted import restricted


def rbm(
    event: Event,
    hidden: int = 16,
    chains: int = 100,
    moves: int = 1,
    sweeps: int = 200,
    persistent: bool = True,
    fast: float = 0.0,
) -> Model:
    """`p(v) = sum_h exp(v b + h c + v W h) / Z`, taught by `chains` that go on, or by its likelihood if none.

    With `fast > 0` they move under fast weights of that rate too, and cross between modes sooner; where they
    are not `persistent` they begin at each batch, `moves` sweeps from its examples: CD-k, k being `moves`.
    Claim: Exact up to 20 hidden units, whose states are counted, else Unnormalized. Symbols of more than two
    levels are softmax units, reals those of a `gaussian_rbm`; a label moves the hidden biases.

    Example: `rbm(Event((8, 8, 1), levels=2), hidden=16)` samples `u8[8, 8, 1]`.
    Smolensky (1986); Hinton (2002), Neural Computation 14 (CD-k); Tieleman (2008), ICML (chains that go on);
    Tieleman & Hinton (2009), ICML (fast weights). Raises ValueError for a size less than one, more than 20
    hidden units without chains, or fast weights and CD-k together or without chains.
    """
    if event.levels is None:
        return gaussian_rbm(event, hidden, chains, moves, sweeps, persistent, fast)
    layer = units(event.shape, event.levels)
    return restricted(layer, event.classes, hidden, chains, moves, sweeps, persistent, fast)


def preset(event: Event) -> dict:
    return {"steps": 4000, "batch": 100, "rate": 1e-2, "clip": 1e9}


def tiny() -> tuple[Model, Batch]:
    """256 triples of a coin, its opposite and itself."""
    first = jax.random.bernoulli(jax.random.key(0), 0.6, (256, 1)).astype(jnp.uint8)
    batch = Batch(jnp.concatenate([first, 1 - first, first], 1))
    return rbm(Event((3,), levels=2), hidden=8, chains=0), batch
