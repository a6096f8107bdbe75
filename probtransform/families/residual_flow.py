"""Residual flows: unrestricted maps next to the identity, of everything by everything."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Batch, Event, Exact, Model, Transform, one_hot
from ..core.check import positive
from ..transforms import stacked
from ..transforms.contraction import contraction
from ..transforms.residual import residual
from .normalizing_flow import crescent, normalizing_flow


def residual_flow(
    event: Event, layers: int = 4, width: int = 64, depth: int = 1, slope: float = 0.9
) -> Model:
    """A `normalizing_flow` of `layers` residual maps `z = x + g(x)`, the identity at first. Claim as there.

    Every g is a network of slope at most `slope`. Log-determinants are those of the matrix up to 64 numbers,
    unbiased estimates above: there, a bound on levels is not to be sharpened by importance weights.

    Example: `residual_flow(Event((2,)))` samples `f32[2]`. Chen et al. (2019), arXiv:1906.02735.
    Raises ValueError if a size is less than one, or `slope` not in (0, 1).
    """
    positive("residual_flow", layers=layers)
    d = math.prod(event.shape)
    body = contraction(d, event.classes, width, depth, slope)
    network = body._replace(at=lambda params, cond: body.at(params, one_hot(cond, event.classes)))

    def layer(_) -> Transform[Exact]:
        return residual(network, d)

    return normalizing_flow(event, layers=stacked(layer, jnp.arange(layers)))


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 3e-3, "depth": 2, "slope": 0.97}
    return {"steps": 200, "batch": 64, "rate": 3e-3, "weight_decay": 1.0}


def tiny() -> tuple[Model, Batch]:
    return residual_flow(Event((2,)), layers=4, width=16), crescent()
