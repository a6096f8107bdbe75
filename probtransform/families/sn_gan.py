"""The hinge game against a critic of normalised spectrum."""

from __future__ import annotations

import math

from ..core import Event, Model
from ..core.check import positive
from ..networks import spectral
from ..objectives.adversarial import hinge
from .gan import played
from .labelled import critic_of


def sn_gan(
    event: Event, latent: int = 64, width: int = 128, depth: int = 3, critic_steps: int = 1
) -> Model:
    """A critic whose linear maps stretch nothing, so that no penalty is needed. Claim: none.

    Critic: `E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))`; generator: `-E D(G(z))`.
    Example: `sn_gan(Event((2,)))` samples `f32[2]`. Miyato et al. (2018), arXiv:1802.05957.
    Raises ValueError if a size or `critic_steps` is less than one.
    """
    positive("sn_gan", latent=latent, critic_steps=critic_steps)
    critic = spectral(critic_of(math.prod(event.shape), event.classes, width, depth, quiet=False))
    return played(event, critic, latent, width, depth, critic_steps, hinge, [])
