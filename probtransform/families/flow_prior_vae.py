"""The VAE whose prior is a normalizing flow."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..core.check import positive
from ..distributions import normal
from ..objectives import likelihood
from ..transforms import coupling, stacked
from . import vae
from .normalizing_flow import conditioner
from .realnvp import masks


def flow_prior_vae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    layers: int = 4,
    prior_width: int = 64,
) -> Model:
    """A `vae` whose codes are themselves carried from a normal, by `layers` affine couplings. Claim: Bound.

    One chain from the normal to the data, learned as one: the flow goes where the encoder puts the codes, and
    the encoder where the flow can go. The couplings start as the identity, and so as a plain `vae`.

    Example: `flow_prior_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Chen et al. (2016), arXiv:1611.02731; couplings, Dinh et al. (2017), arXiv:1605.08803.
    """
    positive("flow_prior_vae", layers=layers)
    network = conditioner(latent, 2 * latent, event.classes, prior_width, depth=2)
    flow = stacked(lambda mask: coupling(network, mask), masks(layers, latent))
    step = vae.observed(event, latent, width, depth)
    distribution = pushforward(normal((latent,)), prior=flow, decoder=step)
    return Model(distribution, {"vae": Player(("prior", "decoder"), likelihood(distribution))})


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    model = flow_prior_vae(Event((2,)), latent=2, width=16, layers=2, prior_width=8)
    return model, vae.tiny()[1]
