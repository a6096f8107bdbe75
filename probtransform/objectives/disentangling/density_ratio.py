"""Total correlation by a player who tells codes from shuffled codes: FactorVAE."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import softplus

from ...core import Network, Transform
from ...core.check import not_negative
from .codes import bound, encoding


def density_ratio(
    step: Transform[Any],
    discriminator: Network,
    gamma: float = 10.0,
    name: str = "decoder",
    block: str = "discriminator",
):
    """`(autoencoder loss, discriminator loss)` of FactorVAE, each a player's.

    Autoencoder: `-E log p(x|z) + KL + gamma E D(z)`. Discriminator: `E softplus(-D(z)) + E softplus(D(z'))`,
    halved, z' with each of its entries from another example of the batch, up to fixed points of the
    permutation: at its best the logit D is `log q(z) / prod_l q(z_l)`, whose mean is the total correlation.
    `discriminator.apply(params, z)` is a scalar, its block `block`.

    Kim & Mnih (2018), arXiv:1802.05983. Raises ValueError for a negative gamma.
    """
    not_negative("density_ratio", gamma=gamma)
    encode = encoding(step, name)
    judge = jax.vmap(discriminator.apply, (None, 0))

    def autoencoder_loss(params, carry, key, batch):
        codes = encode(params, key, batch)
        distortion, kl = bound(codes)
        tc = jnp.mean(judge(params[block], codes.z))
        seen = {"nats": distortion + kl, "kl": kl, "total_correlation": tc}
        return distortion + kl + gamma * tc, (carry, seen)

    def discriminator_loss(params, carry, key, batch):
        draw, shuffle = jax.random.split(key)
        z = jax.lax.stop_gradient(encode(params, draw, batch).z)
        real, product = judge(params[block], z), judge(params[block], permuted(shuffle, z))
        loss = jnp.mean(softplus(-real) + softplus(product)) / 2
        return loss, (carry, {"discriminator": loss})

    return autoencoder_loss, discriminator_loss


def permuted(key, z):
    """`z: [b, k]` with each column shuffled on its own: draws of the product of the marginals."""
    keys = jax.random.split(key, z.shape[1])
    return jax.vmap(jax.random.permutation, (0, 1), 1)(keys, z)
