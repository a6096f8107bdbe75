"""The importance-weighted GAN: samples that come nearer to data teach more."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax

from ..core import Batch, Event, Model, Player, pushforward
from ..core.check import positive
from ..distributions import normal
from ..objectives.adversarial import r1
from ..transforms import implicit
from . import unified
from .labelled import critic_of, labelled
from .on_data import on_data


def iwgan(
    event: Event, latent: int = 64, width: int = 128, depth: int = 3, penalty: float = 1.0
) -> Model:
    """`gan` with `-sum w_i log D(G(z_i))`, w the softmax of the batch's logits. Claim: none.

    With a label for a condition, the IWCGAN. `effective_sample_size` is logged: the batch where weights are
    equal, and 1 where one sample has it all.
    Example: `iwgan(Event((2,)))` samples `f32[2]`. Hu et al. (2018), arXiv:1706.00550.
    Raises ValueError if a size is less than one, or `penalty` negative.
    """
    return adversary(event, unified.iwgan, latent, width, depth, penalty)


def adversary(
    event: Event,
    row: Callable[..., unified.Losses],
    latent: int = 64,
    width: int = 128,
    depth: int = 3,
    penalty: float = 1.0,
) -> Model:
    """A generator and a critic with R1 under the losses of a row, `unified.gan` or `unified.iwgan`."""
    positive(row.__name__, latent=latent)
    d = math.prod(event.shape)
    critic = critic_of(d, event.classes, width, depth)
    generator = labelled(latent, d, event.classes, width, depth)
    distribution = pushforward(normal((latent,)), generator=implicit(generator))
    losses = row(unified.Laws(distribution), critic, [r1(penalty)])
    players = {name: Player((name,), losses[name]) for name in ("critic", "generator")}
    return on_data(Model(distribution, players, {"critic": critic.init}), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"penalty": 0.1, "steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return iwgan(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
