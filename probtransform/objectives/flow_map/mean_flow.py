"""MeanFlow: the mean velocity between two times, from an identity that it obeys at each point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core import Network
from ...paths import linear
from ..matching import drawn
from ..times import Times
from .metric import Metric, squared


def mean_flow(
    network: Network,
    name: str,
    share: float = 0.25,
    metric: Metric = squared,
    times: Times | None = None,
    teacher: Callable[..., Any] | None = None,
    own: bool = False,
):
    """`E metric(u(x_s, s, t) - target)`, `target = v + (t - s) du/ds` held fixed. A player's loss.

    The mean velocity u from s to t, `(t - s) u = X(x, s, t) - x`, obeys the target, `du/ds` being its
    derivative along the flow: a Jacobian-vector product with the tangents `(v, 1, 0)` of (x, s, t). A `share`
    of the batch learns it between two random times, sorted; the others learn u(x, s, s) = v, which is flow
    matching. v is that of the pair (x, z), unless a `teacher(params, x, s, cond)` is asked; on average over
    pairs both are the same. With `own` the product goes along the network's own u(x, s, s), whose error is
    less than the noise of a pair's.

    Geng et al. (2025), arXiv:2505.13447; `own`: Geng et al. (2025), arXiv:2512.02012.
    Raises ValueError for a share outside [0, 1].
    """
    fraction("mean_flow", share)
    path = linear()

    def velocity(params, here, s, z, x, cond):
        return x - z if teacher is None else teacher(params, here, s, cond)

    def matched(params, s, z, x, cond):
        here = path.point(x, z, s)
        v = velocity(params, here, s, z, x, cond)
        return metric(network.apply(params[name], here, s, s, cond) - v)

    def between(params, s, t, z, x, cond):
        def u(x, s):
            return network.apply(params[name], x, s, t, cond)

        here = path.point(x, z, s)
        v = velocity(params, here, s, z, x, cond)
        along = jax.lax.stop_gradient(network.apply(params[name], here, s, s, cond)) if own else v
        mean, slope = jax.jvp(u, (here, s), (along, jnp.ones_like(s)))
        return metric(mean - jax.lax.stop_gradient(v + (t - s) * slope))

    def loss(params, carry, key, batch):
        draw, pair = jax.random.split(key)
        n = len(batch.x)
        u, z = jax.vmap(drawn)(jax.random.split(draw, n), batch.x)
        s, t = (
            r if times is None else times(params, r) for r in (u, jax.random.uniform(pair, (n,)))
        )
        few = math.ceil(share * n)
        ends = jnp.minimum(s, t)[:few], jnp.maximum(s, t)[:few]
        first, rest = divided((z, batch.x, batch.cond), few)
        jumps = jax.vmap(between, (None, 0, 0, 0, 0, 0))(params, *ends, *first)
        stays = jax.vmap(matched, (None, 0, 0, 0, 0))(params, s[few:], *rest)
        mean = jnp.mean(jnp.concatenate([jumps, stays]))
        return mean, (carry, {"mean_flow": mean})

    return loss


def divided(rows, few: int):
    """The first few rows of every array, and the rest."""
    return jax.tree.map(lambda a: a[:few], rows), jax.tree.map(lambda a: a[few:], rows)


def fraction(who: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{who}: got share={share}, wanted 0 to 1; 0.25 is usual")
