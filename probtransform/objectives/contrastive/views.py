"""Learning an encoder from pairs: two views of one example, or two sides of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ...core import Network, each
from .changes import Change

Contrast = Callable[..., Any]


def between_views(embed: Network, name: str, view: Change, contrast: Contrast):
    """`contrast(a, b, cond)` of embeddings of two views of every example: a player's loss.

    `view` is a random change `(key, x) -> x` of one example, `embed.apply(params[name], x): f32[d]`. Labels,
    if there are any, are for the contrast alone: `lambda a, b, cond: nt_xent(a, b, 0.2)` leaves them out.

    Chen et al. (2020), arXiv:2002.05709.
    """

    def seen(params, key, x, cond):
        return embed.apply(params[name], view(key, x))

    def loss(params, carry, key, batch):
        a, b = (each(seen, params, k, batch) for k in jax.random.split(key))
        value = contrast(a, b, batch.cond)
        return value, (carry, {"contrast": value})

    return loss


def between_sides(left: Network, right: Network, name: str, contrast: Contrast):
    """`contrast(a, b, params[name])` of embeddings of x and of its condition: a player's loss.

    The block is that of the critic `two_sides(left, right)`; the contrast reads its scale, and its bias if it
    has one: `lambda a, b, own: clip_loss(a, b, own["log_scale"])`.

    Radford et al. (2021), arXiv:2103.00020.
    """

    def both(params, key, x, cond):
        return left.apply(params[name]["left"], x), right.apply(params[name]["right"], cond)

    def loss(params, carry, key, batch):
        value = contrast(*each(both, params, key, batch), params[name])
        return value, (carry, {"contrast": value})

    return loss
