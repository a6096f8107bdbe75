"""The beta-TCVAE: a variational autoencoder whose codes are made independent of one another."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal
from ..objectives import disentangling
from . import vae


def beta_tcvae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    beta: float = 4.0,
    examples: int = 10_000,
) -> Model:
    """The distribution of a `vae`, learned by `-E log p(x|z) + KL + (beta - 1) TC`. Claim: Bound.

    TC is the total correlation of the codes, `KL(q(z) || prod_l q(z_l))`, estimated in each batch; what x
    and z share is not held back, as in `beta_vae`. `examples` is how many there are to learn from.

    Example: `beta_tcvae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Chen et al. (2018), arXiv:1802.04942.
    """
    step = vae.observed(event, latent, width, depth)
    loss = disentangling.total_correlation(step, examples, beta)
    distribution = pushforward(normal((latent,)), decoder=step)
    return Model(distribution, {"vae": Player(("decoder",), loss)})


def preset(event: Event) -> dict:
    return vae.preset(event) | {"beta": 2.0 if event.levels is None else 4.0}


def tiny() -> tuple[Model, Batch]:
    return beta_tcvae(Event((2,)), latent=2, width=16, beta=2.0), vae.tiny()[1]
