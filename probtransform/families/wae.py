"""The Wasserstein autoencoder: codes that lie like the prior, all together."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..distributions import normal
from ..objectives.autoencoding import autoencoding, like_prior
from . import autoencoder
from .coded import coded, perceptrons


def wae(
    event: Event, latent: int = 8, width: int = 256, depth: int = 2, weight: float = 100.0
) -> Model:
    """`E |x - D(E(x))|^2 + weight MMD^2(codes, N(0, I))`: WAE-MMD. Claim: none.

    Not each example's codes but all of them together are drawn to the normal, so that the decoder knows
    what it will be given. With codes that fit exactly, the loss is an upper bound of the squared
    2-Wasserstein distance of samples to data.

    Example: `wae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Tolstikhin et al. (2017), arXiv:1711.01558.
    """
    coder = perceptrons(event, latent, width, depth)
    law = normal((latent,))
    loss = autoencoding(coder.encode, coder.decode, [like_prior(weight, law)])
    return coded(Model(law, {}), event, coder, loss)


def preset(event: Event) -> dict:
    small = {"latent": 2} if event.levels is None else {}
    return autoencoder.preset(event) | small


def tiny() -> tuple[Model, Batch]:
    return wae(Event((2,)), latent=2, width=16), autoencoder.two_clouds()
