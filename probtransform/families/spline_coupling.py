"""Neural spline flow: couplings whose halves move one another by rational-quadratic splines."""

from __future__ import annotations

import math

import numpy as np

from ..core import Batch, Event, Exact, Model, Transform
from ..core.check import positive
from ..transforms import invert, stacked
from ..transforms.coupling import half_coupling
from ..transforms.spline import rational_quadratic
from .normalizing_flow import conditioner, crescent, normalizing_flow


def spline_coupling(
    event: Event,
    layers: int = 8,
    width: int = 64,
    depth: int = 2,
    bins: int = 8,
    bound: float = 4.0,
) -> Model:
    """A `normalizing_flow` of `layers` spline couplings, each half moving the other in turn. Claim as there.

    The splines run from data to noise, so that the density takes their quicker direction; they start as
    the identity.

    Example: `spline_coupling(Event((2,)))` samples `f32[2]`. Durkan et al. (2019), arXiv:1906.04032.
    Raises ValueError if there are no two entries to move one another.
    """
    positive("spline_coupling", layers=layers)
    d = math.prod(event.shape)
    if d < 2:
        raise ValueError(
            f"spline_coupling: got an event of shape {event.shape}, wanted at least 2 entries; use "
            "a family without halves"
        )
    scalar, kept = rational_quadratic(bins, bound), d // 2
    network = conditioner(kept, (d - kept) * scalar.size, event.classes, width, depth)

    def layer(order) -> Transform[Exact]:
        return invert(half_coupling(network, order, kept, scalar))

    return normalizing_flow(event, couplings=stacked(layer, orders(layers, d)))


def orders(layers: int, d: int) -> np.ndarray:
    """Permutations `[layers, d]`: a random one, and the same backwards a layer later; two just take turns."""
    draws = [np.random.default_rng(i // 2).permutation(d) for i in range(layers)]
    forth = draws if d > 2 else [np.arange(d)] * layers
    return np.array([order[:: -1 if i % 2 else 1] for i, order in enumerate(forth)], np.int32)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 512, "rate": 3e-3, "layers": 6, "bins": 16}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0, "layers": 6, "width": 128}


def tiny() -> tuple[Model, Batch]:
    return spline_coupling(Event((2,)), layers=4, width=16), crescent()
