"""The variational autoencoder."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, one_hot, pushforward, reading
from ..distributions import discretized_logistic, gaussian, normal
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import decoder


def vae(event: Event, latent: int = 16, width: int = 256, depth: int = 2) -> Model:
    """`z ~ N(0, I)`, `x ~ p(x|z)` by a decoder, back by an encoder. Claim: Bound.

    The observation model is normal for reals, a discretised logistic for levels: levels are ordered,
    and two numbers a pixel overfit less than one a level. Example: `vae(Event((8, 8, 1), levels=17))`
    samples `u8[8, 8, 1]`. Kingma & Welling (2013), arXiv:1312.6114.
    """
    d = math.prod(event.shape)
    if event.levels is None:
        observation = gaussian(event.shape)
    else:
        observation = discretized_logistic(event.shape, event.levels)

    def with_label(x, cond):
        return jnp.concatenate([x, one_hot(cond, event.classes)])

    def seen(x, cond):
        centred = x if event.levels is None else 2 * (x + 0.5) / event.levels - 1
        return with_label(centred.reshape(-1), cond)

    step = decoder(
        reading(mlp(latent + event.classes, observation.size, width, depth), with_label),
        reading(mlp(d + event.classes, 2 * latent, width, depth, quiet=True), seen),
        observation,
    )
    distribution = pushforward(normal((latent,)), decoder=step)
    return Model(distribution, {"vae": Player(("decoder",), likelihood(distribution))})


def preset(event: Event) -> dict:
    few = math.prod(event.shape) <= 100
    steps = {"steps": 1500} if few and event.levels else {"steps": 4000}
    return steps | {"batch": 128, "weight_decay": 0.3, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 1))
    noise = 0.1 * jax.random.normal(jax.random.key(1), (256, 2))
    return vae(Event((2,)), latent=1, width=16), Batch(jnp.concatenate([z, -z], 1) + noise)
