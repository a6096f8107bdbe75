"""The deep Boltzmann machine: a layer above the hidden one, coupled to it as the data are."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..distributions.harmonium import harmonium
from ..distributions.layer import beside, bits, units
from ..distributions.mean_field import above_by_mean_field
from . import rbm
from .chain import symbols_of
from .forgotten import forgotten
from .of_symbols import of_symbols
from .restricted import restricted


def dbm(
    event: Event,
    hidden: int = 16,
    top: int = 16,
    chains: int = 100,
    moves: int = 1,
    sweeps: int = 200,
    bins: int = 32,
) -> Model:
    """`p(v, h, t) = exp(v b + h c + t d + v W h + h U t) / Z`, h and t forgotten.

    Data and the top layer together are one layer, and h the other: it is a restricted machine of pairs
    (v, t), whose sweep draws the odd layers, then the even. Its data term has t by mean field, its model term
    `chains` that go on, or the counted constant if none; centres make it learn without layers before. Claim:
    Bound up to 20 units of h, whose states are counted; beyond, a bound up to a constant, whose ladder it
    brings. Reals are symbols of `bins` cells an axis; a label moves the biases of h. Let the rate of learning
    fall to nothing: at a constant one the chains, which cross between modes rarely, lose the shares of the
    modes again.

    Example: `dbm(Event((8, 8, 1), levels=2))` samples `u8[8, 8, 1]`. Salakhutdinov & Hinton (2009), AISTATS;
    Montavon & Müller (2012). Raises ValueError for a size less than one, or more than 20 units of h without
    chains.
    """
    d, levels = symbols_of(event, bins)
    shape = event.shape if event.levels else (d,)
    pair = beside(units(shape, levels), bits((top,)))
    machine = harmonium(pair, hidden, event.classes)
    model = restricted(pair, event.classes, hidden, chains, moves, sweeps)
    return of_symbols(forgotten(model, above_by_mean_field(machine, top)), event, bins)


def preset(event: Event) -> dict:
    return {"steps": 4000, "batch": 100, "rate": 1e-2, "clip": 1e9}


def tiny() -> tuple[Model, Batch]:
    return dbm(Event((3,), levels=2), hidden=6, top=16, chains=0), rbm.tiny()[1]
