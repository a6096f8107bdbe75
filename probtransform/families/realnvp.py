"""RealNVP: affine couplings, each half of the vector moving the other in turn."""

from __future__ import annotations

import math

import numpy as np

from ..core import Batch, Event, Model
from ..core.check import positive
from ..transforms import coupling, stacked
from .flow import conditioner, crescent, flow


def realnvp(event: Event, layers: int = 8, width: int = 64, depth: int = 2) -> Model:
    """A `flow` of `layers` affine couplings with alternating masks, the identity at first. Claim as there.

    Example: `realnvp(Event((2,)))` samples `f32[2]`. Dinh et al. (2017), arXiv:1605.08803.
    """
    positive("realnvp", layers=layers)
    d = math.prod(event.shape)
    network = conditioner(d, 2 * d, event.classes, width, depth)
    return flow(event, couplings=stacked(lambda mask: coupling(network, mask), masks(layers, d)))


def masks(layers: int, d: int) -> np.ndarray:
    """Zeros and ones `[layers, d]`: a random half of the entries, and the other half a layer later."""
    halves = [np.random.default_rng(i // 2).permutation(d) % 2 for i in range(layers)]
    return np.array([(half + i) % 2 for i, half in enumerate(halves)], np.float32)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 3e-3}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0}


def tiny() -> tuple[Model, Batch]:
    return realnvp(Event((2,)), layers=4, width=16), crescent()
