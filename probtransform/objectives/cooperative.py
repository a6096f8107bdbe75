"""Cooperation: a generator says where the chains begin, and learns from where they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..core import Distribution, Unnormalized, each
from ..core.check import positive
from .contrastive_divergence import Move, contrast, walked


def cooperative(
    distribution: Distribution[Unnormalized],
    generator: Distribution[Any],
    teach: Callable[..., Any],
    move: Move,
    steps: int = 1,
):
    """`mean log f(x') - mean log f(x)` and what `teach` says of x'; x' so many moves from a generator's draw.

    One player's loss, of the energy and the generator both. The energy learns by contrast, its chains short,
    since they begin near; the generator learns by its own loss, `likelihood(generator)` of a flow or a VAE
    say, as if x' were data: it takes up what the chain did. Both stand still where all three laws agree.
    The codes of x' are found by the generator's own way back, where the first of the sources walks to them.

    Xie et al. (2018), arXiv:1609.09408; Xie et al. (2021), arXiv:2012.14936 (a VAE); Xie et al. (2022),
    arXiv:2205.06924 (a flow). Raises ValueError for no steps.
    """
    positive("cooperative", steps=steps)

    def loss(params, carry, key, batch):
        draw, walk, look, learn = jax.random.split(key, 4)
        begun = batch._replace(x=each(draws, params, draw, batch))
        away = walked(move, steps, params, walk, begun)
        value = contrast(distribution, params, look, batch, away)
        taught, (carry, metrics) = teach(params, carry, learn, away)
        return value + taught, (carry, metrics | {"contrast": value})

    def draws(params, key, x, cond):
        return generator.sample(params, key, cond)

    return loss
