"""Flow matching: a velocity field learned by regression, integrated to sample."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Network, Player, one_hot, pushforward, reading
from ..distributions import normal
from ..networks import mlp
from ..objectives import matching
from ..paths import linear
from ..transforms import flow
from .on_data import on_data


def flow_matching(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, solver_steps: int = 16
) -> Model:
    """The flow of a learned velocity along straight paths from noise to data.

    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).
    Example: `flow_matching(Event((2,)))` samples `f32[2]`. Lipman et al. (2022), arXiv:2210.02747.
    """
    d = math.prod(event.shape)
    velocity = velocity_of(d, event.classes, width, depth, frequencies)
    distribution = pushforward(normal((d,)), velocity=flow(velocity, solver_steps))
    players = {"velocity": Player(("velocity",), matching(velocity, "velocity", linear()))}
    return on_data(Model(distribution, players), event)


def velocity_of(d: int, classes: int, width: int, depth: int, frequencies: int) -> Network:
    """`(f32[d], t, label) -> f32[d]`, zero at first: a perceptron that reads waves of the time."""

    def place_time_label(x, t, cond):
        angles = jnp.pi * t * jnp.arange(1, frequencies + 1)
        time = [t[None], jnp.sin(angles), jnp.cos(angles)]
        return jnp.concatenate([x, *time, one_hot(cond, classes)])

    body = mlp(d + 1 + 2 * frequencies + classes, d, width, depth, quiet=True)
    return reading(body, place_time_label)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 512, "rate": 4e-3, "average": 0.995}
    return {"steps": 3000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return flow_matching(Event((2,)), width=32, depth=2), Batch(0.5 * z + jnp.sign(z))
