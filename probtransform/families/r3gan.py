"""R3GAN: a paired game with two penalties, and networks without normalisation."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..networks import r3gan as networks
from ..objectives.adversarial import r1, r2, relativistic_paired
from .image_game import generated, image_game, image_of


def r3gan(
    event: Event, latent: int = 64, width: int = 32, depth: int = 1, penalty: float = 0.1
) -> Model:
    """A sample is judged against a datum, and slopes are paid for on both. Claim: none.

    Critic: `E softplus(D(G(z)) - D(x)) + penalty/2 (E |grad D(x)|^2 + E |grad D(G(z))|^2)`; generator: the
    same difference turned round. With both penalties the game provably converges near its solution, and needs
    no other remedy. `depth` residual blocks a scale; a vector is an image of one place, its entries channels.
    Example: `r3gan(Event((28, 28, 1), levels=256))` samples `u8[28, 28, 1]`.

    Huang et al. (2025), arXiv:2501.05441. Raises ValueError if a size is less than one, 8 does not divide a
    width of 9 or more, or `penalty` is negative.
    """
    shape = image_of(event)
    generator = networks.generator(shape, latent, event.classes, width, depth)
    critic = networks.critic(shape, event.classes, width, depth)
    distribution = generated(event, latent, generator)
    penalties = [r1(penalty), r2(penalty)]
    return image_game(event, distribution, critic, relativistic_paired, penalties)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {
            "width": 64,
            "depth": 2,
            "steps": 4000,
            "batch": 128,
            "average": 0.995,
            "momentum": 0.0,
        }
    if math.prod(event.shape) > 500:
        return {
            "width": 16,
            "penalty": 10.0,
            "steps": 4000,
            "batch": 64,
            "average": 0.995,
            "momentum": 0.0,
        }
    return {"width": 16, "steps": 1000, "batch": 64, "average": 0.995, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return r3gan(Event((2,)), latent=2, width=16), Batch(0.5 * z + 1.0)
