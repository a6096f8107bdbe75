"""Reflow: matching again, on the pairs that a trained flow makes, whose lines cross less."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ...core import Batch, Network, Transform
from ...paths import linear
from .metric import squared


class Pair(NamedTuple):
    """A base point and where a teacher carries it."""

    z: Any
    x: Any


@partial(jax.jit, static_argnums=(0, 3))
def pairs(teacher: Transform[Any], params, key, shape: tuple[int, ...], cond=None) -> Batch:
    """A `Batch` of `shape[0]` pairs, `z: [*shape]` normal and `x` its image; `params` are the teacher's own.

    `cond` has a leading axis of `shape[0]`, or is None.
    """
    draw, carry = jax.random.split(key)
    z = jax.random.normal(draw, shape)
    keys = jax.random.split(carry, shape[0])
    return Batch(Pair(z, jax.vmap(teacher.forward, (None, 0, 0, 0))(params, keys, z, cond)), cond)


def reflow(network: Network, name: str):
    """`E |u(x_s, s, t) - (x - z)|^2 / d` over batches of `pairs`, `x_s` on the line between. A player's loss.

    s and t are uniform, s first: where lines do not cross they are the flow, whose mean velocity is the
    same from any time to any other. The network may not ask for t: `paths.straight`.

    Liu et al. (2022), arXiv:2209.03003.
    """
    path = linear()

    def error(params, s, t, z, x, cond):
        return squared(network.apply(params[name], path.point(x, z, s), s, t, cond) - (x - z))

    def loss(params, carry, key, batch):
        ends = jnp.sort(jax.random.uniform(key, (len(batch.x.z), 2)), 1)
        errors = jax.vmap(error, (None, 0, 0, 0, 0, 0))(
            params, ends[:, 0], ends[:, 1], batch.x.z, batch.x.x, batch.cond
        )
        mean = jnp.mean(errors)
        return mean, (carry, {"reflow": mean})

    return loss
