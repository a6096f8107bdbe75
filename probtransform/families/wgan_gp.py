"""The Wasserstein game with a gradient penalty."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..core.check import positive
from ..objectives.adversarial import gradient_penalty, wasserstein
from .gan import played
from .labelled import critic_of


def wgan_gp(
    event: Event,
    latent: int = 64,
    width: int = 128,
    depth: int = 3,
    penalty: float = 10.0,
    critic_steps: int = 5,
) -> Model:
    """A critic of slope one between data and samples, whose gap is a Wasserstein distance. Claim: none.

    Critic: `E D(G(z)) - E D(x) + penalty E (|grad D| - 1)^2`; generator: `-E D(G(z))`.
    Example: `wgan_gp(Event((2,)))` samples `f32[2]`. Gulrajani et al. (2017), arXiv:1704.00028.
    Raises ValueError if a size or `critic_steps` is less than one, or `penalty` negative.
    """
    positive("wgan_gp", latent=latent, critic_steps=critic_steps)
    penalties = [gradient_penalty(penalty)]
    critic = critic_of(math.prod(event.shape), event.classes, width, depth, bias=False)
    return played(event, critic, latent, width, depth, critic_steps, wasserstein, penalties)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"penalty": 1.0, "steps": 3000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"critic_steps": 2, "steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return wgan_gp(Event((2,)), latent=2, width=16, depth=2, penalty=1.0), Batch(0.5 * z + 1.0)
