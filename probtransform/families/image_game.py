"""What the adversarial families of images share: how a network's image becomes data, and the players."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..core import (
    Distribution,
    Event,
    Model,
    Network,
    Player,
    Transform,
    one_hot,
    pushforward,
    through,
)
from ..distributions import normal
from ..objectives.adversarial import Game, adversarial
from ..objectives.adversarial.penalties import Penalty
from ..transforms import implicit, onto


def image_of(event: Event) -> tuple[int, int, int]:
    """An image's own shape; anything else is one place with a channel for every entry."""
    shape = event.shape
    return shape if len(shape) == 3 else (1, 1, math.prod(shape))  # type: ignore[return-value]


def labelled(network: Network, event: Event) -> Network:
    """The network, `(input, f32[classes]) -> ...`, as one of a label, `(input, cond) -> ...`."""

    def apply(params, x, cond):
        return network.apply(params, x, one_hot(cond, event.classes))

    return Network(network.init, apply)


def flat(step: Transform[None]) -> Transform[None]:
    """The same step, its image as a vector."""

    def forward(params, key, z, cond=None):
        return step.forward(params, key, z, cond).reshape(-1)

    return step._replace(forward=forward)


def pixels(event: Event) -> Transform[None]:
    """From a network's numbers to flat reals: on levels, between -1 and 1 by `tanh`, and spread over a cell.

    `x = tanh(g) + u`, u uniform in a cell about zero: rounding x to levels then is stochastic rounding, and
    what a critic sees of samples has the noise that dequantised data have. Without it the noise would tell
    them apart, and with it the law of x is the data's only if that of the levels is.
    """

    def forward(params, key, x, cond=None):
        if event.levels is None:
            return x
        return jnp.tanh(x) + (2 * jax.random.uniform(key, x.shape) - 1) / event.levels

    return Transform(lambda key: {}, forward, None)


def generated(event: Event, latent: int, generator: Network) -> Distribution[Any]:
    """The law of flat reals of a network's images, `(f32[latent], f32[classes]) -> f32[*image_of(event)]`."""
    step = flat(implicit(labelled(generator, event)))
    return pushforward(normal((latent,)), generator=step, pixels=pixels(event))


def judge_of(event: Event, critic: Network) -> Network:
    """A critic of images, `(f32[h, w, c], f32[classes]) -> f32[]`, as one of flat reals and a label."""
    body = labelled(critic, event)

    def apply(params, x, cond):
        return body.apply(params, x.reshape(image_of(event)), cond)

    return Network(body.init, apply)


def image_game(
    event: Event,
    distribution: Distribution[Any],
    critic: Network,
    game: Game,
    penalties: Sequence[Penalty] = (),
    critic_steps: int = 1,
    owns: tuple[str, ...] = ("generator",),
) -> Model:
    """The model of a game over flat reals, `distribution` against a critic of images; then onto the data.

    Players "critic" and "generator", who moves the blocks `owns`. Claim: none.
    """
    judge = judge_of(event, critic)
    critic_loss, generator_loss = adversarial(distribution, judge, game, penalties)
    players = {
        "critic": Player(("critic",), critic_loss, critic_steps),
        "generator": Player(owns, generator_loss),
    }
    model = Model(distribution, players, {"critic": judge.init})
    return through(model, data=onto(event))
