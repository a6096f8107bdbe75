"""Score and flow matching: both fields of a stochastic interpolant, each by a regression of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Network, each
from ..paths import Interpolant
from .matching import drawn


def score_and_flow_matching(
    field: Network,
    name: str,
    interpolant: Interpolant,
    base: Distribution[Any],
    coupling: Callable[..., Any] | None = None,
):
    """`E |v(x_t) - dI/dt|^2 / d + E |gamma s(x_t) + e|^2 / d` with t uniform. A player's loss.

    `field.apply(params, x, t, cond)` is `(v, s)` for `x: f32[*event]`, and the minimisers are
    `E[dI/dt | x_t]` and the score of x_t. Neither target grows at the ends, as the derivative of gamma would.
    z is drawn from `base`, whatever its law; a `coupling` says which draw goes with which example of a batch.

    With `brownian(s)` and `coupling.sinkhorn(2 s^2)` it is the Schrödinger bridge that is learned, and
    nothing is simulated: [SF]2M. Albergo et al. (2023), arXiv:2303.08797; Tong et al. (2023),
    arXiv:2307.03672.
    """

    def errors(params, t, e, z, x, cond):
        x_t = interpolant.point(x, z, e, t)
        velocity, score = field.apply(params, x_t, t, cond)
        of_flow = velocity - interpolant.velocity(x, z, t)
        of_noise = jnp.sqrt(interpolant.variance(t)) * score + e
        return jnp.mean(of_flow**2), jnp.mean(of_noise**2)

    def loss(params, carry, key, batch):
        draw, mix, pair = jax.random.split(key, 3)
        z = drawn_beside(base, params, draw, batch)
        if coupling is not None:
            z = z[coupling(pair, z, batch.x, batch.cond)]
        t, e = jax.vmap(drawn)(jax.random.split(mix, len(batch.x)), batch.x)
        both = jax.vmap(errors, (None, 0, 0, 0, 0, 0))(params[name], t, e, z, batch.x, batch.cond)
        flow, noise = (jnp.mean(part) for part in both)
        return flow + noise, (carry, {"flow": flow, "noise": noise})

    return loss


def drawn_beside(base: Distribution[Any], params, key, batch):
    """A draw of the base for every example, under its condition."""

    def draw(params, key, x, cond):
        return base.sample(params, key, cond)

    return each(draw, params, key, batch)
