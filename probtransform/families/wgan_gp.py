"""The Wasserstein game with a gradient penalty."""

from __future__ import annotations

import math

from ..core import Event, Model
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
    critic = critic_of(math.prod(event.shape), event.classes, width, depth)
    return played(event, critic, latent, width, depth, critic_steps, wasserstein, penalties)
