"""FactorVAE: a variational autoencoder, and a discriminator that its codes must not depend on."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..networks import mlp
from ..objectives import disentangling
from . import vae


def factor_vae(
    event: Event, latent: int = 16, width: int = 256, depth: int = 2, gamma: float = 4.0
) -> Model:
    """The distribution of a `vae`, learned by `-E log p(x|z) + KL + gamma TC`. Claim: Bound.

    TC, the total correlation of the codes, is what a discriminator in `extra` gives for it: it tells codes
    from codes whose entries were shuffled over the batch.

    Example: `factor_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Kim & Mnih (2018), arXiv:1802.05983.
    """
    step = vae.observed(event, latent, width, depth)
    body = mlp(latent, 1, width, depth, quiet=True)
    discriminator = body._replace(apply=lambda *inputs: body.apply(*inputs)[0])
    vae_loss, discriminator_loss = disentangling.density_ratio(step, discriminator, gamma)
    players = {
        "vae": Player(("decoder",), vae_loss),
        "discriminator": Player(("discriminator",), discriminator_loss),
    }
    distribution = pushforward(normal((latent,)), decoder=step)
    return Model(distribution, players, {"discriminator": discriminator.init})


def preset(event: Event) -> dict:
    return vae.preset(event) | {"gamma": 1.0 if event.levels is None else 4.0}


def tiny() -> tuple[Model, Batch]:
    return factor_vae(Event((2,)), latent=2, width=16, gamma=1.0), vae.tiny()[1]
