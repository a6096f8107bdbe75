"""The full-covariance Gaussian: the honest floor, in closed form."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, each, pushforward
from ..distributions import normal
from ..objectives import likelihood
from ..transforms import affine, affine_of, onto


def gaussian(event: Event) -> Model:
    """`N(mean, covariance)` of the flattened data, rounded to levels where there are any.

    `prepare` fits both by maximum likelihood: no training is left to do, a player would only follow
    sampling noise. Class labels are ignored. Claim: Exact on reals, Bound on levels.

    Example: `gaussian(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    """
    d = math.prod(event.shape)
    last = onto(event)
    distribution = pushforward(normal((d,)), affine=affine(d), data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        return params | {"affine": fitted(z)}

    return Model(
        distribution, {"gaussian": Player(("affine",), likelihood(distribution))}, prepare=prepare
    )


def fitted(z, ridge: float = 1e-3):
    """`affine` parameters of the maximum-likelihood Gaussian of `z: f32[n, d]`.

    The covariance is kept invertible by `ridge` times its mean variance on the diagonal.
    """
    covariance = jnp.cov(z, rowvar=False, bias=True).reshape(z.shape[1], z.shape[1])
    added = ridge * jnp.trace(covariance) / len(covariance) + 1e-6
    return affine_of(z.mean(0), covariance + added * jnp.eye(len(covariance)))


def preset(event: Event) -> dict:
    return {"steps": 0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return gaussian(Event((2,))), Batch(z @ jnp.array([[1.0, 0.5], [0.0, 0.5]]) + 0.3)
