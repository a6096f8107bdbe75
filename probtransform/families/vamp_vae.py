"""The VAE whose prior is a mixture of its own posteriors: VampPrior."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, pushforward, reading
from ..distributions import posterior_mixture
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import decoder
from . import vae
from .coding import decoder_of, entries, with_label


def vamp_vae(
    event: Event, latent: int = 16, width: int = 256, depth: int = 2, components: int = 100
) -> Model:
    """`p(z) = (1/C) sum_c q(z|u_c)` with C = `components` inputs u that are learned too. Claim: Bound.

    The prior reads the encoder out of the decoder's step: one player moves both. `prepare` puts the inputs
    on examples.

    Example: `vamp_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Tomczak & Welling (2017), arXiv:1705.07120.
    """
    d, beside = math.prod(event.shape), with_label(event)
    body = mlp(d + event.classes, 2 * latent, width, depth, quiet=True)
    encode = reading(body, lambda x, cond: beside(entries(event, x), cond))
    decode, observation = decoder_of(event, latent, width, depth)
    step = decoder(decode, encode, observation)

    def posterior(params, u, cond):
        numbers = body.apply(params["decoder"]["encoder"], beside(u, cond))
        mean, log_scale = jnp.split(numbers, 2)
        return mean, jnp.clip(log_scale, -7.0, 3.0)

    prior = posterior_mixture(posterior, d, components, latent)
    distribution = pushforward(prior, decoder=step)

    def prepare(params, key, batch):
        noise = 0.01 * jax.random.normal(key, (components, d))
        rows = jnp.arange(components) % len(batch.x)
        return params | {"pseudo": jax.vmap(lambda x: entries(event, x))(batch.x[rows]) + noise}

    player = Player(("pseudo", "decoder"), likelihood(distribution))
    return Model(distribution, {"vae": player}, prepare=prepare)


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    return vamp_vae(Event((2,)), latent=1, width=16, components=8), vae.tiny()[1]
