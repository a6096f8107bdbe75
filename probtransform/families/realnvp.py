"""RealNVP: affine couplings, each half of the vector moving the other in turn."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Event, Model, Player, each, one_hot, pushforward, reading
from ..distributions import normal
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import affine, coupling, onto
from .gaussian import fitted


def realnvp(event: Event, layers: int = 8, width: int = 64, depth: int = 2) -> Model:
    """`layers` affine couplings with alternating masks, then an affine map, then the data's shape and levels.

    The couplings start as the identity and `prepare` fits the affine map, so that training starts
    from the best Gaussian. Claim: Exact on reals, Bound on levels (uniform dequantisation).

    Example: `realnvp(Event((2,)))` samples `f32[2]`. Dinh et al. (2017), arXiv:1605.08803.
    """
    d = math.prod(event.shape)
    last = onto(event)

    def conditioner():
        body = mlp(d + event.classes, 2 * d, width, depth, quiet=True)
        return reading(body, lambda x, cond: jnp.concatenate([x, one_hot(cond, event.classes)]))

    couplings = {f"coupling{i}": coupling(conditioner(), mask(d, i)) for i in range(layers)}
    distribution = pushforward(normal((d,)), **couplings, affine=affine(d), data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        return params | {"affine": fitted(z)}

    owns = (*couplings, "affine")
    return Model(distribution, {"flow": Player(owns, likelihood(distribution))}, prepare=prepare)


def mask(d: int, layer: int) -> np.ndarray:
    """Zeros and ones `[d]`: a random half, the other half at the next layer."""
    half = np.random.default_rng(layer // 2).permutation(d) % 2
    return (half + layer) % 2


def preset(event: Event) -> dict:
    return {"steps": 2000, "batch": 256}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return realnvp(Event((2,)), layers=4, width=16), Batch(
        jnp.stack([z[:, 0], z[:, 0] ** 2 + 0.3 * z[:, 1]], 1)
    )
