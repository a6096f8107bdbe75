"""A prior that flows: flow matching on the codes of an autoencoder, pushed through its decoder."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Bound, Event, Model, Player, Transform, pushforward, through
from ..distributions import normal
from ..objectives import likelihood
from .flow_matching import flow_matching
from .vae import observed


def latent_diffusion(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    frequencies: int = 8,
    solver_steps: int = 8,
) -> Model:
    """`decoded` of `flow_matching` on the codes of a `vae`. Claim: Bound.

    Example: `latent_diffusion(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Vahdat et al. (2021), arXiv:2106.05931; Rombach et al. (2021), arXiv:2112.10752.
    """
    codes = Event((latent,), classes=event.classes)
    prior = flow_matching(codes, width, depth, frequencies, solver_steps)
    return decoded(prior, observed(event, latent, width, depth), latent)


def decoded(prior: Model, decoder: Transform[Bound], size: int) -> Model:
    """Any prior over codes `f32[size]`, pushed through a decoder that is learned beside it.

    The decoder learns its bound under the normal law of codes; the prior's players learn on the codes it
    gives, held still. A decoder that was trained before needs no player: then `through(prior, decoder=...)`
    is all there is to say.
    """
    alone = pushforward(normal((size,)), decoder=decoder)
    model = through(prior, decoder=decoder)
    player = Player(("decoder",), likelihood(alone))
    return model._replace(players={"decoder": player, **model.players})


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"latent": 2, "width": 128, "depth": 3, "steps": 4000, "batch": 256, "rate": 3e-3}
    return {"steps": 3000, "weight_decay": 0.3, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 1))
    noise = 0.3 * jax.random.normal(jax.random.key(1), (256, 2))
    bow = jnp.concatenate([z, -z], 1) + noise
    return latent_diffusion(Event((2,)), latent=1, width=32, solver_steps=8), Batch(bow)
