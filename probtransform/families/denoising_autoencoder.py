"""The denoising autoencoder: examples are rebuilt from what noise has left of them."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..objectives import autoencoding
from . import autoencoder
from .coded import coded, mixture, perceptrons


def denoising_autoencoder(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    components: int = 10,
    noise: float = 0.2,
) -> Model:
    """An `autoencoder` that sees `x + noise * e` and is to give x. Claim: none.

    Codes that noise does not move hold what examples have in common. `noise` is in units of the data, levels
    being spread over [-1, 1].

    Example: `denoising_autoencoder(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Vincent et al. (2008), ICML; Alain & Bengio (2014), arXiv:1211.4246.
    """
    coder = perceptrons(event, latent, width, depth)
    prior = mixture(latent, components, event.classes)
    return coded(prior, event, coder, autoencoding(coder.encode, coder.decode, noise=noise))


def preset(event: Event) -> dict:
    return autoencoder.preset(event) | ({"noise": 0.05} if event.levels is None else {})


def tiny() -> tuple[Model, Batch]:
    model = denoising_autoencoder(Event((2,)), latent=2, width=16, components=4, noise=0.1)
    return model, autoencoder.two_clouds()
