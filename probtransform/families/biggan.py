"""BigGAN: labels everywhere, normalised spectra, and a latent heard at every scale."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..networks import biggan as networks
from ..networks import spectral
from ..networks.resnet_gan import critic as residual_critic
from ..objectives.adversarial import hinge
from ..objectives.orthogonal import orthogonal
from .image_game import generated, image_game, image_of


def biggan(
    event: Event,
    latent: int = 64,
    width: int = 32,
    orthogonality: float = 1e-4,
    critic_steps: int = 2,
    references: int = 0,
) -> Model:
    """The hinge game of residual networks of unit spectrum, labels heard by every block. Claim: none.

    The generator also pays `orthogonality` times the inner products of its kernels' columns, so that
    `truncated` latents have seen all of its range. Its norms are over groups of channels, or, with
    `references`, over a batch of so many fixed latents, by whose `standing` statistics every sample is
    normalised. Without labels it is the same with no embedding; a vector is an image of one place with a
    channel for each entry.
    Example: `biggan(Event((28, 28, 1), levels=256, classes=10))` samples `u8[28, 28, 1]` given a label.

    Brock et al. (2018), arXiv:1809.11096. Raises ValueError if a size or `critic_steps` is less than one,
    `latent` has no number for each part, `orthogonality` is negative, 4 does not divide `width` without
    references, or these are fewer than two or the classes.
    """
    shape = image_of(event)
    generator = spectral(networks.generator(shape, latent, event.classes, width, references))
    critic = spectral(residual_critic(shape, event.classes, width))
    distribution = generated(event, latent, generator)
    model = image_game(event, distribution, critic, hinge, critic_steps=critic_steps)
    player = model.players["generator"]
    paid = orthogonal(player.loss, "generator", orthogonality, ("embedding",))
    return model._replace(players=model.players | {"generator": player._replace(loss=paid)})


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 128, "steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    if math.prod(event.shape) > 500:
        return {"width": 16, "steps": 4000, "batch": 64, "average": 0.995, "momentum": 0.0}
    return {"width": 16, "steps": 1000, "batch": 64, "average": 0.995, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return biggan(Event((2,)), latent=4, width=16), Batch(0.5 * z + 1.0)
