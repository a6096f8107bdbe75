"""Consistency models, trained without a teacher: one call of a network from any time to the data."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..integrate import grids
from ..objectives import flow_map as objectives
from ..paths import straight, trigonometric
from ..transforms import renoised
from .flow_matching import velocity_of
from .on_data import on_data


def consistency(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 2,
    damping: float = 1.0,
    warm_up: int = 1000,
    calls: int = 1,
) -> Model:
    """`x = X(z, 0, 1)`, learned as what does not move along a trajectory. Claim: none.

    Training passes from flow matching to consistency over `warm_up` updates. With more `calls`, each but the
    first begins where noise was added again. Few `frequencies` keep small what is differentiated in time.

    Example: `consistency(Event((2,)))` samples `f32[2]`.
    Song et al. (2023), arXiv:2303.01469; Lu & Song (2024), arXiv:2410.11081.
    """
    d, path = math.prod(event.shape), trigonometric()
    network = straight(velocity_of(d, event.classes, width, depth, frequencies))
    jumps = renoised(network, grids.uniform(calls), path, "v")
    distribution = pushforward(normal((d,)), velocity=jumps)
    loss = objectives.continuous_consistency(network, "velocity", damping, warm_up)
    players = {"velocity": Player(("velocity",), loss)}
    return on_data(Model(distribution, players, carry=none_yet), event)


def none_yet(key):
    """How many updates there were."""
    return jnp.zeros((), jnp.int32)


def preset(event: Event) -> dict:
    if event.levels is None:
        near = {"width": 128, "steps": 6000, "batch": 512, "rate": 4e-3, "average": 0.999}
        return near | {"warm_up": 3000}
    return {"steps": 3000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return consistency(Event((2,)), width=32, depth=2, warm_up=100), Batch(0.5 * z + 3.0)
