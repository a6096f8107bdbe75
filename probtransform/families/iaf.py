"""IAF: inverse autoregressive flow, which samples in one pass and looks back entry by entry."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..transforms import shift_and_scale
from .maf import autoregressive_flow
from .maf import preset as preset
from .normalizing_flow import crescent


def iaf(event: Event, layers: int = 4, width: int = 128, depth: int = 2) -> Model:
    """`maf` with its layers run the other way: `x_i = f(z_i; theta_i(z_<i))`. Claim as there.

    A sample and its density come in one pass of each network; the density of data takes about one pass
    too, but entry by entry.

    Example: `iaf(Event((2,)))` samples `f32[2]`. Kingma et al. (2016), arXiv:1606.04934.
    Raises ValueError if a size is less than one, or `width` less than the entries less one.
    """
    return autoregressive_flow("iaf", event, layers, width, depth, shift_and_scale(), inverted=True)


def tiny() -> tuple[Model, Batch]:
    return iaf(Event((2,)), layers=3, width=16), crescent()
