"""The Schrödinger bridge, learned without simulation: score and flow matching of an entropic coupling."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model
from ..distributions import normal
from ..objectives import coupling
from ..paths import brownian
from .on_data import on_data
from .stochastic_interpolant import field_of, interpolating


def schroedinger_bridge(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    scale: float = 0.5,
    solver_steps: int = 16,
) -> Model:
    """Of all processes from noise to data, the one nearest to `scale` times a Brownian motion: [SF]2M.

    Pairs of each batch are drawn from its entropic plan at `epsilon = 2 scale^2`, within their class where
    there are classes, and Brownian bridges between them are matched: the bridge, as far as a batch knows it.
    The model is its probability flow; with `level = scale^2 / 2` the SDE beside it, as in
    `stochastic_interpolant`, is the bridge itself. Towards `scale = 0` it is optimal transport.

    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).
    Example: `schroedinger_bridge(Event((2,)))` samples `f32[2]`. Tong et al. (2023), arXiv:2307.03672.
    Raises ValueError unless `scale` is positive.
    """
    d = math.prod(event.shape)
    field = field_of(d, event.classes, width, depth, frequencies)
    cost = coupling.within_classes if event.classes else coupling.squared
    pairs = coupling.sinkhorn(2 * scale**2, cost)
    model = interpolating(normal((d,)), field, brownian(scale), solver_steps, pairs)
    return on_data(model, event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 512, "rate": 4e-3, "average": 0.995}
    return {"steps": 3000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    model = schroedinger_bridge(Event((2,)), width=24, depth=2, solver_steps=8)
    return model, Batch(0.5 * z + jnp.sign(z) + 2.0)
