"""RealNVP: affine couplings, each half of the vector moving the other in turn."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Event, Model, Player, each, one_hot, pushforward, reading
from ..core.check import positive
from ..distributions import normal
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import affine, coupling, marginal, marginal_of, onto, stacked
from .gaussian import fitted


def realnvp(event: Event, layers: int = 8, width: int = 64, depth: int = 2) -> Model:
    """`layers` affine couplings with alternating masks, then an affine map, then the data's shape and levels.

    On levels, each entry's own histogram comes in between: couplings and affine map carry only what
    entries have to do with one another. The couplings start as the identity and `prepare` fits the
    rest, so that training starts from the best Gaussian, or Gaussian copula. Claim: Exact on reals,
    Bound on levels (uniform dequantisation).

    Example: `realnvp(Event((2,)))` samples `f32[2]`. Dinh et al. (2017), arXiv:1605.08803.
    """
    positive("realnvp", layers=layers)
    d = math.prod(event.shape)
    last = onto(event)

    def bent_with_label(x, cond):
        return jnp.concatenate([bent(x), one_hot(cond, event.classes)])

    conditioner = reading(mlp(d + event.classes, 2 * d, width, depth, quiet=True), bent_with_label)
    steps = {
        "couplings": stacked(lambda mask: coupling(conditioner, mask), masks(layers, d)),
        "affine": affine(d),
    }
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


def bent(x):
    """Outliers on a leash, `3 tanh(x / 3)`: what a conditioner reads stays where it has seen data."""
    return 3 * jnp.tanh(x / 3)


def masks(layers: int, d: int) -> np.ndarray:
    """Zeros and ones `[layers, d]`: a random half of the entries, and the other half a layer later."""
    halves = [np.random.default_rng(i // 2).permutation(d) % 2 for i in range(layers)]
    return np.array([(half + i) % 2 for i, half in enumerate(halves)], np.float32)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 3e-3}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return realnvp(Event((2,)), layers=4, width=16), Batch(
        jnp.stack([z[:, 0], z[:, 0] ** 2 + 0.3 * z[:, 1]], 1)
    )
