"""The variational autoencoder."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, Transform, pushforward
from ..distributions import Encoded, normal
from ..objectives import likelihood
from ..transforms import decoder
from .coding import decoder_of, encoder_of


def vae(event: Event, latent: int = 16, width: int = 256, depth: int = 2) -> Model:
    """`z ~ N(0, I)`, `x ~ p(x|z)` by a decoder, back by an encoder. Claim: Bound.

    The observation model is normal for reals, with one learned scale an entry, and a discretised
    logistic for levels: levels are ordered, and two numbers a pixel overfit less than one a level.

    Example: `vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Kingma & Welling (2013), arXiv:1312.6114.
    """
    step = observed(event, latent, width, depth)
    distribution = pushforward(normal((latent,)), decoder=step)
    return Model(distribution, {"vae": Player(("decoder",), likelihood(distribution))})


def observed(event: Event, latent: int, width: int, depth: int) -> Transform[Encoded]:
    """The `decoder` from `f32[latent]` to the data, by two perceptrons."""
    decode, observation = decoder_of(event, latent, width, depth)
    encode = encoder_of(event, 2 * latent, width, depth, quiet=True)
    return decoder(decode, encode, observation)


def preset(event: Event) -> dict:
    d = math.prod(event.shape)
    if event.levels is None:
        small = {"latent": min(d, 16), "width": 128, "depth": 3}
        return small | {"steps": 4000, "batch": 256, "rate": 3e-3}
    return {"steps": 1500 if d <= 100 else 4000, "weight_decay": 0.3, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 1))
    noise = 0.1 * jax.random.normal(jax.random.key(1), (256, 2))
    return vae(Event((2,)), latent=1, width=16), Batch(jnp.concatenate([z, -z], 1) + noise)
