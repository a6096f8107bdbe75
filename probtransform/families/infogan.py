"""InfoGAN: a GAN that can tell part of its code from the sample."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Network, Player, pushforward
from ..core.check import not_negative, positive
from ..distributions import gaussian, normal
from ..objectives.adversarial import r1
from ..objectives.walks import Kernel, of_network
from ..transforms import implicit
from . import unified
from .labelled import critic_of, labelled
from .on_data import on_data


def infogan(
    event: Event,
    latent: int = 52,
    width: int = 128,
    depth: int = 3,
    categories: int = 10,
    factors: int = 2,
    strength: float = 0.1,
    penalty: float = 1.0,
) -> Model:
    """The code is a category, `factors` normal numbers and `latent` of noise. Claim: none.

    The category is the largest of `categories` normal numbers, so that the base stays normal. Block
    "inference" gives `q(category, factors | x)`, whose mean log is a bound on their information in x, less
    their entropy; it counts by `strength` in the generator's loss.
    Example: `infogan(Event((2,)))` samples `f32[2]`. Chen et al. (2016), arXiv:1606.03657.
    Raises ValueError if a size is less than one, or `strength` or `penalty` negative.
    """
    positive("infogan", latent=latent, categories=categories, factors=factors)
    not_negative("infogan", strength=strength)
    d, told = math.prod(event.shape), categories + factors
    critic = critic_of(d, event.classes, width, depth)
    generator = coded(labelled(told + latent, d, event.classes, width, depth), categories)
    inference = labelled(d, told + factors, event.classes, width, depth, quiet=True)

    def log_prob(params, z, x, cond):
        logits, of_factors = jnp.split(inference.apply(params["inference"], x, cond), [categories])
        category = jax.nn.log_softmax(logits)[jnp.argmax(z[:categories])]
        normal_law = gaussian((factors,)).log_prob(of_factors, z[categories:told])
        return strength * (category + normal_law)

    latent_law = normal((told + latent,))
    laws = unified.Laws(latent_law, of_network(generator, "generator"), Kernel(log_prob=log_prob))
    losses = unified.infogan(laws, critic, [r1(penalty)])
    players = {
        "critic": Player(("critic",), losses["critic"]),
        "generator": Player(("generator", "inference"), losses["generator"]),
    }
    distribution = pushforward(latent_law, generator=implicit(generator))
    extra = {"critic": critic.init, "inference": inference.init}
    return on_data(Model(distribution, players, extra), event)


def coded(network: Network, categories: int) -> Network:
    """The same network on a code whose first entries are read as the category they make largest."""

    def read(z, cond):
        category = jax.nn.one_hot(jnp.argmax(z[:categories]), categories)
        return jnp.concatenate([category, z[categories:]]), cond

    return Network(network.init, lambda params, z, cond: network.apply(params, *read(z, cond)))


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"penalty": 0.1, "steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    return {"steps": 3000, "batch": 128, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    numbers = {"latent": 2, "width": 16, "depth": 2, "categories": 2, "factors": 1}
    return infogan(Event((2,)), **numbers), Batch(0.5 * z + 1.0)
