"""The least squares game."""

from __future__ import annotations

from ..core import Event, Model
from ..core.check import positive
from ..objectives.adversarial import least_squares, r1
from .gan import critic_of, played


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
    critic = critic_of(event, width, depth)
    return played(event, critic, latent, width, depth, critic_steps, least_squares, [r1(penalty)])
