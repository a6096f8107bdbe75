"""The adversarial autoencoder: codes that a critic cannot tell from draws of the base."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model, Player, pushforward
from ..core.check import positive
from ..distributions import normal
from ..objectives.adversarial import r1
from ..objectives.walks import normal_about, of_network
from ..transforms import implicit
from . import unified
from .labelled import critic_of, labelled
from .on_data import on_data


def aae(
    event: Event,
    latent: int = 8,
    width: int = 128,
    depth: int = 3,
    noise: float = 0.5,
    penalty: float = 0.1,
) -> Model:
    """An autoencoder and a critic of its codes; the encoder lives in `extra`. Claim: none.

    Both play as in `infogan`, with data and code exchanged: the encoder makes codes that pass for
    normal draws and from which the generator tells the data back, as `N(G(z), noise^2)` in units of
    what `on_data` carries back.
    Example: `aae(Event((2,)))` samples `f32[2]`. Makhzani et al. (2015), arXiv:1511.05644.
    Raises ValueError if a size is less than one, `noise` not above zero, or `penalty` negative.
    """
    positive("aae", latent=latent)
    d = math.prod(event.shape)
    generator = labelled(latent, d, event.classes, width, depth)
    encoder = labelled(d, latent, event.classes, width, depth)
    critic = critic_of(latent, event.classes, width, depth)
    laws = unified.Laws(
        normal((latent,)),
        normal_about(of_network(generator, "generator"), noise),
        of_network(encoder, "encoder"),
    )
    losses = unified.aae(laws, critic, [r1(penalty)])
    players = {
        "critic": Player(("critic",), losses["critic"]),
        "autoencoder": Player(("generator", "encoder"), losses["generator"]),
    }
    distribution = pushforward(normal((latent,)), generator=implicit(generator))
    extra = {"critic": critic.init, "encoder": encoder.init}
    return on_data(Model(distribution, players, extra), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"latent": 2, "noise": 0.1, "steps": 4000, "batch": 128, "average": 0.995}
    return {"steps": 3000, "batch": 128}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return aae(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
