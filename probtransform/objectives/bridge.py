"""Iterative Markovian fitting: bridges between pairs, and pairs from the bridges learned so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core import Batch, Distribution, Network, each
from ..core.check import positive
from ..integrate import bridging, grids, run
from ..paths import brownian
from .interpolant import drawn_beside
from .matching import drawn


class Round(NamedTuple):
    """What a player carries: how many updates it made, and the other's drift as it was when this round of
    them began."""

    count: Any
    other: Any


class Fitting(NamedTuple):
    """`forward` and `backward` are losses of two players, `carry` is what their model carries."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    carry: Callable[..., Any]


def markovian_fitting(
    forward: Network,
    backward: Network,
    base: Distribution[Any],
    scale: float,
    updates: int,
    steps: int = 20,
) -> Fitting:
    """The Schrödinger bridge of `scale` times a Brownian motion, from `base` to data, by two players.

    Each learns the drift from its own start to its own end, in its own time, u = 0 where it starts: `forward`
    from the base to the data, `backward` from the data to the base. Both regress on what bridges between
    pairs (a, b) do, `E (1 - u) |f(x_u, u) - (b - x_u) / (1 - u)|^2 / d`: the Markovian projection. Pairs of
    the first `updates` are independent. After that, and again every `updates`, the drifts are frozen, and
    what the other's carries from b in `steps` steps is a: the reciprocal projection. So each learns to end
    in draws of the true law, and errors of the one do not add to those of the other.

    The blocks are "forward" and "backward", `x: f32[*event]`. Shi et al. (2023), arXiv:2303.16852;
    Peluchetti (2023), arXiv:2304.00917. Raises ValueError if `updates` or `steps` is less than one, or
    `scale` is not positive.
    """
    positive("markovian_fitting", updates=updates)
    bridge = brownian(scale)
    table = bridging(grids.uniform(steps), scale)
    networks = {"forward": forward, "backward": backward}

    def player(name: str, other: str):
        def error(params, u, e, start, end, cond):
            x_u = bridge.point(end, start, e, u)
            away = networks[name].apply(params, x_u, u, cond) - (end - start)
            return jnp.mean((jnp.sqrt(1 - u) * away + scale * jnp.sqrt(u) * e) ** 2)

        def carried(params, key, x, cond):
            def field(x, u):
                return networks[other].apply(params, x, u, cond)

            return run(table, field, x, key)

        def loss(params, carry, key, batch):
            draw, walk, mix = jax.random.split(key, 3)
            z = drawn_beside(base, params, draw, batch)
            start, end = (z, batch.x) if name == "forward" else (batch.x, z)
            count, frozen = carry[name]
            frozen = jax.tree.map(
                lambda now, kept: jnp.where(count % updates == 0, now, kept), params[other], frozen
            )
            a = jax.lax.cond(
                count < updates,
                lambda: start,
                lambda: each(carried, frozen, walk, Batch(end, batch.cond)),
            )
            u, e = jax.vmap(drawn)(jax.random.split(mix, len(end)), end)
            errors = jax.vmap(error, (None, 0, 0, 0, 0, 0))
            mean = jnp.mean(errors(params[name], u, e, a, end, batch.cond))
            return mean, (carry | {name: Round(count + 1, frozen)}, {name: mean})

        return loss

    def carry(key):
        zero = jnp.zeros((), jnp.int32)
        return {
            "forward": Round(zero, backward.init(key)),
            "backward": Round(zero, forward.init(key)),
        }

    return Fitting(player("forward", "backward"), player("backward", "forward"), carry)
