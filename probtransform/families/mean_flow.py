"""MeanFlow: the mean velocity from one time to another, learned without a teacher; one call samples."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Network, Player, one_hot, pushforward, reading
from ..distributions import normal
from ..integrate import grids
from ..networks import mlp
from ..objectives import flow_map as objectives
from ..transforms import flow_map
from .on_data import on_data


def mean_flow(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 2,
    share: float = 0.5,
    calls: int = 1,
) -> Model:
    """`x = z + u(z, 0, 1)`, u the learned mean velocity; more `calls` take shorter steps. Claim: none.

    A `share` of every batch learns the way between two times, the others the velocity; few `frequencies` keep
    small what is differentiated in time.

    Example: `mean_flow(Event((2,)))` samples `f32[2]`.
    Geng et al. (2025), arXiv:2505.13447; Geng et al. (2025), arXiv:2512.02012.
    """
    d = math.prod(event.shape)
    velocity = mean_velocity_of(d, event.classes, width, depth, frequencies)
    jumps = flow_map(velocity, grids.uniform(calls))
    distribution = pushforward(normal((d,)), velocity=jumps)
    loss = objectives.mean_flow(velocity, "velocity", share, own=True)
    return on_data(Model(distribution, {"velocity": Player(("velocity",), loss)}), event)


def mean_velocity_of(d: int, classes: int, width: int, depth: int, frequencies: int) -> Network:
    """`(f32[d], s, t, label) -> f32[d]`, zero at first: a perceptron that reads waves of both times."""

    def place_times_label(x, s, t, cond):
        times = jnp.stack([s, t])
        angles = jnp.pi * times[:, None] * jnp.arange(1, frequencies + 1)
        waves = [jnp.sin(angles).reshape(-1), jnp.cos(angles).reshape(-1)]
        return jnp.concatenate([x, times, *waves, one_hot(cond, classes)])

    body = mlp(d + 2 + 4 * frequencies + classes, d, width, depth, quiet=True)
    return reading(body, place_times_label)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 6000, "batch": 512, "rate": 4e-3, "average": 0.999}
    return {"steps": 6000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return mean_flow(Event((2,)), width=32, depth=2), Batch(0.5 * z + jnp.sign(z))
