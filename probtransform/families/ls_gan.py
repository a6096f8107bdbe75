"""The least squares game."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..core.check import positive
from ..objectives.adversarial import least_squares, r1
from .gan import played
from .labelled import critic_of


def ls_gan(
    event: Event,
    latent: int = 64,
    width: int = 128,
    depth: int = 3,
    penalty: float = 0.1,
    critic_steps: int = 1,
) -> Model:
    """A critic that regresses data on 1 and samples on 0; the generator wants its samples at 1. Claim: none.

    Critic: `E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2`, and R1; generator: `E (D(G(z)) - 1)^2 / 2`.
    Example: `ls_gan(Event((2,)))` samples `f32[2]`. Mao et al. (2016), arXiv:1611.04076.
    Raises ValueError if a size or `critic_steps` is less than one, or `penalty` negative.
    """
    positive("ls_gan", latent=latent, critic_steps=critic_steps)
    critic = critic_of(math.prod(event.shape), event.classes, width, depth)
    penalties = [r1(penalty)]
    return played(event, critic, latent, width, depth, critic_steps, least_squares, penalties)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return ls_gan(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
