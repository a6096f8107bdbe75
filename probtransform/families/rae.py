"""The regularised autoencoder: small codes, a smooth decoder, and a law of codes after the fact."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..objectives.autoencoding import autoencoding, small_codes, small_slope, small_weights
from . import autoencoder
from .coded import coded, mixture, perceptrons


def rae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    components: int = 10,
    codes: float = 0.01,
    weights: float = 1e-4,
    slope: float = 0.0,
) -> Model:
    """`E |x - D(E(x))|^2 + codes/2 |z|^2 + weights |theta_D|^2 + slope |dD/dz|^2`. Claim: none.

    What a variational autoencoder gets from noise in its codes, smoothness of the decoder, is asked for
    outright; codes are then sampled from a mixture of Gaussians fitted to them. `weights` beside `codes`
    is RAE-L2, `slope` beside `codes` RAE-GP.

    Example: `rae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Ghosh et al. (2019), arXiv:1903.12436.
    """
    coder = perceptrons(event, latent, width, depth)
    penalties = [small_codes(codes), small_weights(weights)]
    if slope:  # which costs another pass
        penalties.append(small_slope(slope, coder.decode))
    loss = autoencoding(coder.encode, coder.decode, penalties)
    return coded(mixture(latent, components, event.classes), event, coder, loss)


def preset(event: Event) -> dict:
    return autoencoder.preset(event)


def tiny() -> tuple[Model, Batch]:
    model = rae(Event((2,)), latent=2, width=16, components=4, slope=0.01)
    return model, autoencoder.two_clouds()
