"""What the flows of flat vectors share: layers, an affine map, then the data's shape and levels."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import (
    Batch,
    Event,
    Exact,
    Model,
    Network,
    Player,
    Transform,
    each,
    one_hot,
    pushforward,
    reading,
)
from ..distributions import normal
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import actnorm, actnorm_of, affine, marginal, marginal_of, onto
from .gaussian import fitted
from .on_data import on_data


def normalizing_flow(event: Event, **layers: Transform[Exact]) -> Model:
    """`layers` from a normal base, then an affine map, then the data's shape, by maximum likelihood.

    On levels, each entry's own histogram comes in between: layers and affine map carry only what
    entries have to do with one another. Layers that start as the identity leave `prepare` the best
    Gaussian, or Gaussian copula, to start from. Claim: Exact on reals, Bound on levels (uniform
    dequantisation).

    Example: `normalizing_flow(Event((2,)), bend=planar(2))` samples `f32[2]`.
    """
    d, last = math.prod(event.shape), onto(event)
    steps = {**layers, "affine": affine(d)}
    owns = tuple(steps)
    if event.levels is not None:
        steps["marginal"] = marginal(d, event.levels)
    distribution = pushforward(normal((d,)), **steps, data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        if event.levels is not None:
            params = params | {"marginal": marginal_of(z, event.levels)}
            z, _ = each(steps["marginal"].inverse.fn, params["marginal"], key, batch._replace(x=z))
        return params | {"affine": fitted(z, ridge=0.02)}

    return Model(distribution, {"flow": Player(owns, likelihood(distribution))}, prepare=prepare)


def image_flow(event: Event, **layers: Transform[Exact]) -> Model:
    """`layers` from a normal base to `f32[d]`, then each entry's mean and deviation, then the data's shape.

    For maps that know where an entry lies in an image: unlike `normalizing_flow`, entries are not mixed
    before they come to them. On levels each entry's own histogram comes in between. Claim: Exact on reals,
    Bound on levels (uniform dequantisation).
    """
    d = math.prod(event.shape)
    distribution = pushforward(normal((d,)), **layers, norm=actnorm((d,)))

    def prepare(params, key, batch):
        return params | {"norm": actnorm_of(batch.x)}

    flow = Player((*layers, "norm"), likelihood(distribution))
    return on_data(Model(distribution, {"flow": flow}, prepare=prepare), event)


def conditioner(inputs: int, outputs: int, classes: int, width: int, depth: int) -> Network:
    """`(f32[inputs], label) -> f32[outputs]`, zero at first: what one part of a vector says to another."""
    body = mlp(inputs + classes, outputs, width, depth, quiet=True)
    return reading(body, lambda x, cond: jnp.concatenate([bent(x), one_hot(cond, classes)]))


def bent(x):
    """Outliers on a leash, `3 tanh(x / 3)`: what a conditioner reads stays where it has seen data."""
    return 3 * jnp.tanh(x / 3)


def crescent() -> Batch:
    """256 points of the plane on a bow, for a flow to bend a normal onto."""
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return Batch(jnp.stack([z[:, 0], z[:, 0] ** 2 + 0.3 * z[:, 1]], 1))
