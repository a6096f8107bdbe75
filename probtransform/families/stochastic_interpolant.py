"""Stochastic interpolants: a flow and a score learned side by side, sampled as an ODE or as any SDE."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Batch, Distribution, Event, Model, Network, Player, pushforward
from ..distributions import normal
from ..objectives import score_and_flow_matching
from ..paths import Interpolant, blurred, drift, linear
from ..transforms import flow
from .flow_matching import velocity_of
from .on_data import on_data


def stochastic_interpolant(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    noise: float = 1.0,
    solver_steps: int = 16,
) -> Model:
    """Straight lines from a normal base to the data, blurred by `noise sqrt(t (1 - t))` on the way.

    Its block "field" holds two networks, the mean velocity of the lines and the score. The model is their
    probability flow, and `sampler(drift(field, interpolant, level), integrate.drifting(times, level))` over
    the same block is the SDE of any diffusion. Another base is one call below: `interpolating`.

    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).
    Example: `stochastic_interpolant(Event((2,)))` samples `f32[2]`.
    Albergo et al. (2023), arXiv:2303.08797. Raises ValueError unless `noise` is positive.
    """
    d = math.prod(event.shape)
    field = field_of(d, event.classes, width, depth, frequencies)
    path = blurred(linear(), noise)
    return on_data(interpolating(normal((d,)), field, path, solver_steps), event)


def interpolating(
    base: Distribution[Any],
    field: Network,
    path: Interpolant,
    solver_steps: int = 16,
    coupling=None,
) -> Model:
    """The model of a field `(x, t, cond) -> (v, s)` from any base `f32[d]`: one data set becomes another.

    Its claim is that of the base. Example: `interpolating(moons(), field_of(2), brownian(0.5))` learns to
    carry moons to whatever it is trained on.
    """
    distribution: Any = pushforward(base, field=flow(drift(field, path), solver_steps))
    loss = score_and_flow_matching(field, "field", path, base, coupling)
    return Model(distribution, {"field": Player(("field",), loss)})


def field_of(
    d: int, classes: int = 0, width: int = 256, depth: int = 3, frequencies: int = 8
) -> Network:
    """`(f32[d], t, label) -> (velocity, score)`, two networks in one block, both zero at first."""
    one = velocity_of(d, classes, width, depth, frequencies)

    def init(key):
        first, second = jax.random.split(key)
        return {"velocity": one.init(first), "score": one.init(second)}

    def apply(params, x, t, cond=None):
        return tuple(one.apply(params[name], x, t, cond) for name in ("velocity", "score"))

    return Network(init, apply)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 512, "rate": 4e-3, "average": 0.995}
    return {"steps": 3000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    model = stochastic_interpolant(Event((2,)), width=24, depth=2, solver_steps=8)
    return model, Batch(0.5 * z + jnp.sign(z) + 2.0)
