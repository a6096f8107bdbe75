"""What diffusions share: a network that reads a noisy vector, its time and label, and one player."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Density, Event, Model, Network, Player, Transform, pushforward
from ..distributions import normal
from .flow_matching import velocity_of


def denoiser(event: Event, width: int, depth: int, frequencies: int) -> Network:
    """`(f32[d], t, label) -> f32[d]`, zero at first."""
    return velocity_of(math.prod(event.shape), event.classes, width, depth, frequencies)


def matched(event: Event, step: Transform[Density | None], loss) -> Model:
    """A normal base `f32[d]`, carried by `step`, whose block `field` learns by `loss`."""
    distribution = pushforward(normal((math.prod(event.shape),)), field=step)
    return Model(distribution, {"field": Player(("field",), loss)})


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 512, "rate": 4e-3, "average": 0.995}
    return {"steps": 3000, "batch": 256}


def two_clusters() -> Batch:
    """256 points of the plane about four corners, none far from the normal."""
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return Batch(0.5 * z + jnp.sign(z))
