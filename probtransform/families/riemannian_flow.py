"""Riemannian flow matching: a field of tangents learned along geodesics, on a torus or where data live."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import (
    Batch,
    Distribution,
    Event,
    Exact,
    Model,
    Network,
    Player,
    one_hot,
    pushforward,
    reading,
    through,
)
from ..distributions import uniform_on
from ..networks import mlp
from ..objectives import geodesic_matching
from ..paths import Manifold, torus
from ..transforms import actnorm, actnorm_of, geodesic_flow, unwrap
from .on_data import on_data


def riemannian_flow(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, solver_steps: int = 16
) -> Model:
    """Flow matching on the torus: each entry is an angle, the quantile of its size.

    `x = mean + scale * Phi^-1(angle / 2 pi + 1/2)`, so that uniform angles are normal data, and geodesics
    may lead through infinity. Claim: Exact up to solver error on reals, Bound on levels (uniform
    dequantisation). For data that live on a sphere, a torus or among rotations see `flow_on`.

    Example: `riemannian_flow(Event((2,)))` samples `f32[2]`. Chen & Lipman (2023), arXiv:2302.03660.
    """
    d = math.prod(event.shape)
    angles = flow_on(torus(d), None, event.classes, width, depth, frequencies, solver_steps)
    model = through(through(angles, line=unwrap(d)), norm=actnorm((d,)))

    def prepare(params, key, batch):
        return params | {"norm": actnorm_of(batch.x)}

    return on_data(model._replace(prepare=prepare), event)


def flow_on(
    manifold: Manifold,
    base: Distribution[Exact] | None = None,
    classes: int = 0,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    solver_steps: int = 16,
    coupling: Callable[..., Any] | None = None,
) -> Model:
    """Flow matching on a manifold, from its uniform distribution or another base. Claim: Exact.

    Examples are points `f32[size]`; densities are with respect to the volume of the manifold.
    Example: `flow_on(sphere(2))` samples unit vectors `f32[3]`. Chen & Lipman (2023), arXiv:2302.03660.
    """
    start = uniform_on(manifold) if base is None else base
    velocity = tangents(manifold, classes, width, depth, frequencies)
    flow = geodesic_flow(velocity, manifold, solver_steps)
    loss = geodesic_matching(velocity, "velocity", manifold, start, coupling)
    return Model(pushforward(start, velocity=flow), {"velocity": Player(("velocity",), loss)})


def tangents(manifold: Manifold, classes: int, width: int, depth: int, frequencies: int) -> Network:
    """`(point, t, label) -> tangent`, zero at first: a perceptron that reads waves of the time."""

    def place_time_label(x, t, cond):
        angles = jnp.pi * t * jnp.arange(1, frequencies + 1)
        time = [t[None], jnp.sin(angles), jnp.cos(angles)]
        return jnp.concatenate([manifold.embed(x), *time, one_hot(cond, classes)])

    place = jax.eval_shape(manifold.embed, jnp.zeros(manifold.size)).size
    inputs = place + 1 + 2 * frequencies + classes
    body = reading(mlp(inputs, manifold.size, width, depth, quiet=True), place_time_label)

    def apply(params, x, t, cond=None):
        return manifold.tangent(x, body.apply(params, x, t, cond))

    return Network(body.init, apply)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 512, "rate": 4e-3, "average": 0.995}
    return {"steps": 3000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return riemannian_flow(Event((2,)), width=32, depth=2), Batch(0.5 * z + jnp.sign(z))
