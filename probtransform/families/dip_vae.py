"""DIP-VAE: a variational autoencoder whose codes have the covariance of the prior."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..objectives import disentangling
from . import vae


def dip_vae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    off_diagonal: float = 10.0,
    diagonal: float = 10.0,
    of_codes: bool = True,
) -> Model:
    """The distribution of a `vae`, its codes' covariance C drawn to the identity. Claim: Bound.

    `-E log p(x|z) + KL + off_diagonal sum_{i != j} C_ij^2 + diagonal sum_i (C_ii - 1)^2`, with C that of
    the codes (DIP-VAE II), or of their means (DIP-VAE I, `of_codes=False`).

    Example: `dip_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Kumar et al. (2017), arXiv:1711.00848.
    """
    step = vae.observed(event, latent, width, depth)
    loss = disentangling.moments(step, off_diagonal, diagonal, of_codes)
    distribution = pushforward(normal((latent,)), decoder=step)
    return Model(distribution, {"vae": Player(("decoder",), loss)})


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 1))
    noise = 0.3 * jax.random.normal(jax.random.key(1), (256, 2))
    model = dip_vae(Event((2,)), latent=1, width=16, diagonal=0.1)
    return model, Batch(jnp.concatenate([z, -z], 1) + noise)
