"""Learning a density by telling data from noise: the constant is learned like any other parameter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import softplus

from ..core import Distribution, Exact, Unnormalized, each
from ..core.check import disjoint, positive


def normaliser(distribution: Distribution[Unnormalized], name: str = "constant"):
    """The same law, `log f(x) - c` its density, c a block of its own, 0 at first: log Z once it is learned.

    The claim stays Unnormalized: what is learned is not known to be the constant.
    """

    def log_density(params, key, x, cond=None):
        return distribution.density.fn(params, key, x, cond) - params[name]

    def init(key):
        return disjoint("normaliser", distribution.init(key), {name: jnp.zeros(())})

    return distribution._replace(init=init, density=Unnormalized(log_density), joint=None)


def noise_contrastive(
    distribution: Distribution[Unnormalized], noise: Distribution[Exact], ratio: int = 1
):
    """`E softplus(-G(x)) + ratio E softplus(G(y))`, x of the data and y of the noise: a player's loss.

    `G = log f - log(ratio q)`: what a judge would say who knows the noise q, of which `ratio` come with every
    example. It is best where f is the data's density, its constant with it: `normaliser` gives it one to
    learn. With more noise the estimate nears maximum likelihood. Parameters of the noise are read, and held
    still where nobody owns them.

    Gutmann & Hyvärinen (2012), JMLR 13. Raises ValueError for a noise whose density is not exact, or none
    of it.
    """
    positive("noise_contrastive", ratio=ratio)
    if not isinstance(noise.density, Exact):
        raise ValueError(
            f"noise_contrastive: got a noise that claims {type(noise.density).__name__}, wanted Exact: it "
            "must be sampled and known; take a normal, or a flow"
        )

    def gap(params, key, x, cond):
        there = noise.density.fn(params, key, x, cond)
        return distribution.density.fn(params, key, x, cond) - there - math.log(ratio)

    def loss(params, carry, key, batch):
        draw, look, again = jax.random.split(key, 3)
        many = jax.tree.map(lambda leaf: jnp.repeat(leaf, ratio, 0), batch)
        drawn = each(lambda p, k, x, c: noise.sample(p, k, c), params, draw, many)
        real, fake = (
            each(gap, params, look, batch),
            each(gap, params, again, many._replace(x=drawn)),
        )
        value = jnp.mean(softplus(-real)) + ratio * jnp.mean(softplus(fake))
        right = (jnp.mean(real > 0) + jnp.mean(fake < 0)) / 2
        return value, (carry, {"contrast": value, "told_apart": right})

    return loss


def flow_contrastive(distribution: Distribution[Unnormalized], flow: Distribution[Exact]):
    """The losses of a game, `(of the energy, of the flow)`: the noise learns not to be told from the data.

    The energy descends `noise_contrastive`, the flow its negative, through its density and its draws alike:
    noise that lies where the data are leaves the energy only what the flow cannot be.

    Gao et al. (2020), arXiv:1912.00589. Raises ValueError for a flow whose density is not exact.
    """
    told_apart = noise_contrastive(distribution, flow)

    def deceive(params, carry, key, batch):
        value, (carry, _) = told_apart(params, carry, key, batch)
        return -value, (carry, {})

    return told_apart, deceive


def conditional_noise_contrastive(
    distribution: Distribution[Unnormalized], noise: Callable[..., Any], ratio: int = 1
):
    """`2 E softplus(log f(y) - log f(x))`, y = `noise(key, x)` near each example: no constant is asked for.

    The noise is symmetric, as likely from x to y as back, such as `x + s e`. Wide noise tells little that is
    fine, narrow noise little that is far. As it narrows, this is score matching.

    Example: `conditional_noise_contrastive(law, lambda key, x: x + 0.5 * normal(key, x.shape))`.
    Ceylan & Gutmann (2018), arXiv:1806.03664. Raises ValueError for no noise.
    """
    positive("conditional_noise_contrastive", ratio=ratio)

    def loss(params, carry, key, batch):
        draw, look, again = jax.random.split(key, 3)
        many = jax.tree.map(lambda leaf: jnp.repeat(leaf, ratio, 0), batch)
        moved = jax.vmap(noise)(jax.random.split(draw, len(many.x)), many.x)
        fn = distribution.density.fn
        here = jnp.repeat(each(fn, params, look, batch), ratio)
        there = each(fn, params, again, many._replace(x=moved))
        value = 2 * jnp.mean(softplus(there - here))
        return value, (carry, {"contrast": value})

    return loss
