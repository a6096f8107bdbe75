"""Shortcut models: one long step is two of half its length."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ...core import Network
from ...core.check import positive
from ...paths import linear
from ..matching import drawn
from .mean_flow import divided, fraction
from .metric import squared
from .teacher import followed


def shortcut(
    network: Network, name: str, share: float = 0.25, halvings: int = 7, decay: float = 0.999
):
    """`E |u(x_s, s, s + 2h) - target|^2 / d`, the target the mean velocity of two steps h. A player's loss.

    `target = (u(x_s, s, s + h) + u(x_s+h, s + h, s + 2h)) / 2`, made by a teacher that follows the network,
    `x_s+h = x_s + h u(x_s, s, s + h)`: so they compose. That is what a `share` of the batch learns, with
    `2h` one of 1, 1/2, ..., `2^(1 - halvings)`, and s a multiple of it; the others learn
    u(x, s, s) = v, which is flow matching. `carry` is `teacher_of(network)`.

    Frans et al. (2024), arXiv:2410.12557. Raises ValueError for a share outside [0, 1] or no halving.
    """
    fraction("shortcut", share)
    positive("shortcut", halvings=halvings)
    path = linear()

    def matched(params, s, z, x, cond):
        u = network.apply(params, path.point(x, z, s), s, s, cond)
        return squared(u - (x - z))

    def halved(params, teacher, level, u, z, x, cond):
        h = 2.0 ** -(level + 1)
        s = 2 * h * jnp.floor(u / (2 * h))
        here = path.point(x, z, s)
        first = network.apply(teacher, here, s, s + h, cond)
        second = network.apply(teacher, here + h * first, s + h, s + 2 * h, cond)
        target = jax.lax.stop_gradient((first + second) / 2)
        return squared(network.apply(params, here, s, s + 2 * h, cond) - target)

    def loss(params, carry, key, batch):
        draw, levels = jax.random.split(key)
        n, carry = len(batch.x), followed(carry, params[name], decay)
        u, z = jax.vmap(drawn)(jax.random.split(draw, n), batch.x)
        few = math.ceil(share * n)
        level = jax.random.randint(levels, (few,), 0, halvings).astype(u.dtype)
        first, rest = divided((u, z, batch.x, batch.cond), few)
        jumps = jax.vmap(halved, (None, None, 0, 0, 0, 0, 0))(
            params[name], carry.params, level, *first
        )
        stays = jax.vmap(matched, (None, 0, 0, 0, 0))(params[name], *rest)
        mean = jnp.mean(jnp.concatenate([jumps, stays]))
        return mean, (carry, {"shortcut": mean})

    return loss
