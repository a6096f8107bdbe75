"""Diffusion Schrödinger bridge matching: two drifts, each taught by where the other comes from."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Batch, Distribution, Event, Model, Network, Player, pushforward
from ..distributions import normal
from ..integrate import bridging, grids
from ..objectives import markovian_fitting
from ..transforms import sampler
from .flow_matching import velocity_of
from .on_data import on_data


def bridge_matching(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    scale: float = 0.5,
    updates: int = 1000,
    solver_steps: int = 20,
) -> Model:
    """An SDE from noise to data and one back, fitted in turns until they are one process: DSBM.

    For the first `updates` pairs are independent; after every `updates` they are drawn anew, by the drifts
    found so far, and approach the Schrödinger bridge of `scale` times a Brownian motion. Samples are those
    of the forward SDE in `solver_steps` steps; the backward drift lives in `extra`. Another base is one
    call below: `fitting`.

    Claim: none. Example: `bridge_matching(Event((2,)))` samples `f32[2]`.
    Shi et al. (2023), arXiv:2303.16852. Raises ValueError if `updates` is less than one.
    """
    d = math.prod(event.shape)
    network = velocity_of(d, event.classes, width, depth, frequencies)
    return on_data(fitting(normal((d,)), network, scale, updates, solver_steps), event)


def fitting(
    base: Distribution[Any],
    network: Network,
    scale: float = 0.5,
    updates: int = 1000,
    solver_steps: int = 20,
) -> Model:
    """The model of two drifts `(x, t, cond) -> f32[d]` of one architecture, from any base `f32[d]` to data.

    Example: `fitting(moons(), velocity_of(2, 0, 64, 3, 8))` learns to carry moons to what it is trained on.
    """
    found = markovian_fitting(network, network, base, scale, updates, solver_steps)
    along = sampler(network, bridging(grids.uniform(solver_steps), scale))
    players = {
        "forward": Player(("forward",), found.forward),
        "backward": Player(("backward",), found.backward),
    }
    extra = {"backward": network.init}
    return Model(pushforward(base, forward=along), players, extra, found.carry)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 256, "rate": 2e-3, "average": 0.995}
    return {"steps": 3000, "batch": 128}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    model = bridge_matching(Event((2,)), width=32, depth=2, updates=100, solver_steps=8)
    return model, Batch(0.5 * z + jnp.sign(z) + 2.0)
