"""Rectified flow: matching, and matching again on the pairs that the first flow makes."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Player
from ..core.check import positive
from ..objectives import matching
from ..paths import linear
from ..transforms import flow
from . import diffusion
from .on_data import on_data


def rectified_flow(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    solver_steps: int = 8,
    share: int = 4,
) -> Model:
    """The flow of a velocity that learned from `(z, x)` where another flow carries z to x.

    Both learn at once, each a player: the first, `curved`, of data, the second, `field`, of what the first
    makes of fresh draws, one for every `share` examples. Their lines hardly cross, and few steps solve them.
    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).

    Example: `rectified_flow(Event((2,)))` samples `f32[2]`. Liu et al. (2022), arXiv:2209.03003.
    """
    positive("rectified_flow", share=share)
    path, velocity = linear(), diffusion.denoiser(event, width, depth, frequencies)
    flowing = flow(velocity, solver_steps)

    def error(params, key, like, cond):
        draw, when, carry = jax.random.split(key, 3)
        z, t = jax.random.normal(draw, like.shape), jax.random.uniform(when)
        x = jax.lax.stop_gradient(flowing.forward(params["curved"], carry, z, cond))
        away = velocity.apply(params["field"], path.point(x, z, t), t, cond) - (x - z)
        return jnp.mean(away**2)

    def straightened(params, carry, key, batch):
        few = jax.tree.map(lambda leaf: leaf[: max(1, len(leaf) // share)], batch)
        keys = jax.random.split(key, len(few.x))
        mean = jnp.mean(jax.vmap(error, (None, 0, 0, 0))(params, keys, few.x, few.cond))
        return mean, (carry, {"reflow": mean})

    model = diffusion.matched(event, flowing, straightened)
    first = Player(("curved",), matching(velocity, "curved", path))
    players = {"curved": first, **model.players}
    return on_data(model._replace(players=players, extra={"curved": velocity.init}), event)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return rectified_flow(Event((2,)), width=32, depth=2, share=1), Batch(0.5 * z + 2.0)
