"""The deep convolutional GAN."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..networks import dcgan as networks
from ..objectives.adversarial import non_saturating, r1
from .image_game import generated, image_game, image_of


def dcgan(event: Event, latent: int = 64, width: int = 32, penalty: float = 0.0) -> Model:
    """Strided convolutions on both sides of the non-saturating game. Claim: none.

    As published there is no penalty; `penalty` adds R1. A vector is an image of one place with a channel for
    each entry, where linear layers are left. Samples of levels are between the ends of the scale by `tanh`,
    and rounded. Example: `dcgan(Event((28, 28, 1), levels=256))` samples `u8[28, 28, 1]`.

    Radford et al. (2015), arXiv:1511.06434. Raises ValueError if a size is less than one, 4 does not divide
    `width`, or `penalty` is negative.
    """
    shape = image_of(event)
    generator = networks.generator(shape, latent, event.classes, width)
    critic = networks.critic(shape, event.classes, width)
    penalties = [r1(penalty)]
    distribution = generated(event, latent, generator)
    return image_game(event, distribution, critic, non_saturating, penalties)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {
            "width": 128,
            "penalty": 0.1,
            "steps": 4000,
            "batch": 128,
            "average": 0.995,
            "momentum": 0.0,
        }
    if math.prod(event.shape) > 500:
        return {"width": 16, "steps": 4000, "batch": 64, "average": 0.995, "momentum": 0.0}
    return {"width": 32, "steps": 2000, "batch": 64, "average": 0.995, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return dcgan(Event((2,)), latent=4, width=16, penalty=1.0), Batch(0.5 * z + 1.0)
