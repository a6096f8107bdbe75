"""Continuous normalizing flow: the flow of a velocity field, fitted by maximum likelihood."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model
from ..core.check import positive
from ..transforms import flow
from ..transforms.trace import hutchinson
from .flow_matching import velocity_of
from .normalizing_flow import crescent, normalizing_flow


def cnf(
    event: Event, width: int = 64, depth: int = 2, solver_steps: int = 8, probes: int = 1
) -> Model:
    """A `flow` whose one layer is an ordinary differential equation, at rest at first. Claim as there.

    While training, the divergence is estimated along `probes` random directions, which makes the
    likelihood right on average; the distribution has the exact one.

    Example: `cnf(Event((2,)))` samples `f32[2]`.
    Chen et al. (2018), arXiv:1806.07366; Grathwohl et al. (2019), arXiv:1810.01367.
    """
    positive("cnf", probes=probes)
    velocity = velocity_of(math.prod(event.shape), event.classes, width, depth, frequencies=2)
    estimated = normalizing_flow(event, velocity=flow(velocity, solver_steps, hutchinson(probes)))
    exact = normalizing_flow(event, velocity=flow(velocity, solver_steps))
    return exact._replace(players=estimated.players)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 2000, "batch": 256, "rate": 3e-3}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0, "width": 256}


def tiny() -> tuple[Model, Batch]:
    return cnf(Event((2,)), width=16, depth=2, solver_steps=4), crescent()
