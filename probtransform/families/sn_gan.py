"""The hinge game against a critic of normalised spectrum."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
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
    body = critic_of(math.prod(event.shape), event.classes, width, depth, quiet=False, bias=False)
    return played(event, spectral(body), latent, width, depth, critic_steps, hinge, [])


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return sn_gan(Event((2,)), latent=2, width=16, depth=2, critic_steps=2), Batch(0.5 * z + 1.0)
