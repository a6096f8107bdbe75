"""The Helmholtz machine: the decoder learns awake, from data, and the encoder asleep, from dreams."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..objectives.walks import of_decoder
from . import unified
from .vae import observed


def wake_sleep(event: Event, latent: int = 16, width: int = 256, depth: int = 2) -> Model:
    """The model of `vae`, without a gradient through a draw. Claim: Bound.

    Wake: `-log p(x|z)` of data x and z inferred; sleep: `-log q(z|x)` of z from the base and x generated.
    Asleep the encoder covers its posterior, `KL(p(z|x) || q(z|x))`, which the VAE's turns around.
    Example: `wake_sleep(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Hinton et al. (1995), Science 268; Hu et al. (2018), arXiv:1706.00550.
    """
    step = observed(event, latent, width, depth)
    laws = unified.Laws(normal((latent,)), *of_decoder(step, "decoder"))
    losses = unified.wake_sleep(laws)
    players = {"wake_sleep": Player(("decoder",), losses["wake_sleep"])}
    return Model(pushforward(normal((latent,)), decoder=step), players)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"latent": 2, "width": 128, "depth": 3, "steps": 4000, "batch": 256, "rate": 3e-3}
    return {"steps": 3000, "weight_decay": 0.3, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 1))
    noise = 0.1 * jax.random.normal(jax.random.key(1), (256, 2))
    return wake_sleep(Event((2,)), latent=1, width=16), Batch(jnp.concatenate([z, -z], 1) + noise)
