"""The generative adversarial network: non-saturating, with R1."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax

from ..core import Batch, Event, Model, Network, Player, pushforward
from ..core.check import not_negative, positive
from ..distributions import normal
from ..objectives.adversarial import Game, adversarial, non_saturating, r1
from ..transforms import implicit
from .labelled import critic_of, labelled
from .on_data import on_data


def gan(
    event: Event,
    latent: int = 64,
    width: int = 128,
    depth: int = 3,
    penalty: float = 1.0,
    critic_steps: int = 1,
) -> Model:
    """A generator and a critic that teaches it; the critic lives in `extra`. Claim: none.

    On levels both play on the normal scores of dequantised entries, and samples are rounded.
    Example: `gan(Event((2,)))` samples `f32[2]`. Goodfellow et al. (2014), arXiv:1406.2661.
    Raises ValueError if a size or `critic_steps` is less than one, or `penalty` negative.
    """
    positive("gan", latent=latent, critic_steps=critic_steps)
    not_negative("gan", penalty=penalty)
    critic = critic_of(math.prod(event.shape), event.classes, width, depth)
    penalties = [r1(penalty)]
    return played(event, critic, latent, width, depth, critic_steps, non_saturating, penalties)


def played(
    event: Event,
    critic: Network,
    latent: int,
    width: int,
    depth: int,
    critic_steps: int,
    game: Game,
    penalties: Sequence[Callable[..., Any]],
) -> Model:
    """The model of a game between a perceptron that generates and a critic of entries and label."""

    generator = labelled(latent, math.prod(event.shape), event.classes, width, depth)
    distribution = pushforward(normal((latent,)), generator=implicit(generator))
    critic_loss, generator_loss = adversarial(distribution, critic, game, penalties)
    players = {
        "critic": Player(("critic",), critic_loss, critic_steps),
        "generator": Player(("generator",), generator_loss),
    }
    return on_data(Model(distribution, players, {"critic": critic.init}), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"penalty": 0.1, "steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return gan(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
