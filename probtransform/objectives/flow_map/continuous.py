"""Consistency in the limit of small steps: the end must not move along a trajectory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core import Network
from ...paths import trigonometric
from ..matching import drawn
from ..times import Times


def continuous_consistency(
    network: Network,
    name: str,
    damping: float = 0.1,
    warm_up: int = 0,
    times: Times | None = None,
    teacher: Callable[..., Any] | None = None,
):
    """`E |F - (F - g / (|g| + damping))|^2`, all but the first F held fixed, on `trigonometric()`. sCM.

    F is the network's v at (x_s, s), `f = alpha x_s - sigma F` its consistency function, and, per radian of
    the quarter circle along the flow (dots),

        g = alpha df = alpha^2 (x' + F) + r alpha sigma (x_s - F'),

    zero where f stands still. r grows from 0 to 1 over the first `warm_up` updates, which `carry` counts:
    at first it is flow matching. |g| is the root of its mean square. x' is that of the pair (x, z), or
    `-teacher(params, x, s, cond)`, a network's v. The learned weight of times of the paper is left out.

    Lu & Song (2024), arXiv:2410.11081. Raises ValueError unless `damping` is above 0 and `warm_up` not below.
    """
    if not (damping > 0 and warm_up >= 0):
        raise ValueError(
            f"continuous_consistency: got damping={damping}, warm_up={warm_up}, wanted damping > 0 and "
            "warm_up >= 0; 0.1 and a tenth of all updates are usual"
        )
    path = trigonometric()

    def error(params, ramp, s, z, x, cond):
        alpha, sigma = path.alpha(s), path.sigma(s)
        here = path.point(x, z, s)
        v = alpha * z - sigma * x if teacher is None else teacher(params, here, s, cond)

        def f(x, angle):
            s = 2 / math.pi * angle
            return network.apply(params[name], x, s, jnp.ones_like(s), cond)

        angle = math.pi / 2 * s
        out, slope = jax.jvp(f, (here, angle), (-v, jnp.ones_like(angle)))
        g = alpha**2 * (out - v) + ramp * alpha * sigma * (here - slope)
        size = jnp.sqrt(jnp.mean(g**2))
        return jnp.mean((out - jax.lax.stop_gradient(out - g / (size + damping))) ** 2)

    def loss(params, carry, key, batch):
        s, z = jax.vmap(drawn)(jax.random.split(key, len(batch.x)), batch.x)
        s = s if times is None else times(params, s)
        ramp = jnp.minimum(carry / warm_up, 1.0) if warm_up else 1.0
        errors = jax.vmap(error, (None, None, 0, 0, 0, 0))(params, ramp, s, z, batch.x, batch.cond)
        mean = jnp.mean(errors)
        return mean, (carry + 1 if warm_up else carry, {"consistency": mean})

    return loss
