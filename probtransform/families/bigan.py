"""The bidirectional GAN: a generator and an encoder that a critic of pairs cannot tell apart."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model, Player, pushforward
from ..core.check import positive
from ..distributions import normal
from ..objectives.adversarial import r1
from ..objectives.walks import of_network
from ..transforms import implicit
from . import unified
from .labelled import critic_of, labelled
from .on_data import on_data


def bigan(
    event: Event, latent: int = 16, width: int = 128, depth: int = 3, penalty: float = 1.0
) -> Model:
    """The critic sees (G(z), z) and (x, E(x)); the encoder lives in `extra`. Claim: none.

    Where it is deceived the encoder inverts the generator. Example: `bigan(Event((2,)))` samples `f32[2]`.
    Donahue et al. (2016), arXiv:1605.09782; Dumoulin et al. (2016), arXiv:1606.00704.
    Raises ValueError if a size is less than one, or `penalty` negative.
    """
    positive("bigan", latent=latent)
    d = math.prod(event.shape)
    generator = labelled(latent, d, event.classes, width, depth)
    encoder = labelled(d, latent, event.classes, width, depth)
    critic = critic_of(d + latent, event.classes, width, depth)
    laws = unified.Laws(
        normal((latent,)), of_network(generator, "generator"), of_network(encoder, "encoder")
    )
    losses = unified.bigan(laws, critic, [r1(penalty)])
    players = {
        "critic": Player(("critic",), losses["critic"]),
        "generator": Player(("generator", "encoder"), losses["generator"]),
    }
    distribution = pushforward(normal((latent,)), generator=implicit(generator))
    extra = {"critic": critic.init, "encoder": encoder.init}
    return on_data(Model(distribution, players, extra), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {
            "latent": 2,
            "penalty": 0.1,
            "steps": 4000,
            "batch": 128,
            "average": 0.995,
            "momentum": 0.0,
        }
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return bigan(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
