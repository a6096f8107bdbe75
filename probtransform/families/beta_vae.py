"""The beta-VAE: a variational autoencoder whose codes are held back, for good or until there is room."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..objectives import disentangling
from . import vae


def beta_vae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    beta: float = 4.0,
    capacity: float = 0.0,
    warm: int = 1000,
) -> Model:
    """The distribution of a `vae`, learned by `-E log p(x|z) + beta |KL - C|`. Claim: Bound.

    C grows from 0 to `capacity` nats in the first `warm` updates; with room for codes, take a large beta.
    Beta trades bits of x for codes that are spread as the prior and, by that, tend to one factor each.

    Example: `beta_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Higgins et al. (2017), ICLR; Burgess et al. (2018), arXiv:1804.03599.
    """
    step = vae.observed(event, latent, width, depth)
    loss = disentangling.bottleneck(step, beta, capacity, warm)
    players = {"vae": Player(("decoder",), loss)}
    model = Model(pushforward(normal((latent,)), decoder=step), players)
    return model._replace(carry=disentangling.counter)


def preset(event: Event) -> dict:
    return vae.preset(event) | {"beta": 1.2 if event.levels is None else 4.0}


def tiny() -> tuple[Model, Batch]:
    return beta_vae(Event((2,)), latent=1, width=16, beta=1.2), vae.tiny()[1]
