"""The importance-weighted autoencoder."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..objectives.importance_weighted import pathwise
from . import vae


def iwae(
    event: Event, latent: int = 16, width: int = 256, depth: int = 2, samples: int = 10
) -> Model:
    """The distribution of a `vae`, learned by the bound of several draws. Claim: Bound.

    The loss is `-log 1/k sum_i p(x, z_i) / q(z_i|x)` over k = `samples` draws: closer to `-log p(x)` than
    that of one, it lets the posterior be what q cannot say. The encoder learns by the doubly reparameterised
    gradient, whose signal does not drown as k grows.

    Example: `iwae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Burda et al. (2015), arXiv:1509.00519; Tucker et al. (2018), arXiv:1810.04152.
    """
    step, prior = vae.observed(event, latent, width, depth), normal((latent,))
    player = Player(("decoder",), pathwise(prior, step, samples))
    return Model(pushforward(prior, decoder=step), {"iwae": player})


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    return iwae(Event((2,)), latent=1, width=16, samples=4), vae.tiny()[1]
