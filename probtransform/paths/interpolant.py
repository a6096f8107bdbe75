"""Stochastic interpolants: base and data of any law, mixed at every time and blurred in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core import Network
from .gaussian import linear
from .path import Path


class Interpolant(NamedTuple):
    """`x_t = I(x, z, t) + gamma(t) e` for data x, a base draw z of any law, and `e ~ N(0, I)` of its own.

    mean:     `(x, z, t) -> I`, which is z at t = 0 and x at t = 1; the `point` of a `Path` is one.
    variance: `t -> gamma^2`, zero at both ends and smooth, where gamma itself may have infinite slopes.

    With `v = E[dI/dt | x_t]` and the score `s = -E[e | x_t] / gamma` of x_t, for every `eps(t) >= 0`

        dx = (v + (eps - (gamma^2)'/2) s) dt + sqrt(2 eps) dW,    x_0 = z

    has the law of x_t at every t: an ODE at `eps = 0`, its probability flow.
    Albergo et al. (2023), arXiv:2303.08797.
    """

    mean: Callable[..., Any]
    variance: Callable[..., Any]

    def point(self, x, z, e, t):
        """`x_t`, of the shape of x."""
        return self.mean(x, z, t) + jnp.sqrt(self.variance(t)) * e

    def velocity(self, x, z, t):
        """`dI/dt` with x and z held, of the shape of x: what the blur adds is told by the score."""
        return jax.jvp(lambda t: self.mean(x, z, t), (t,), (jnp.ones_like(t),))[1]


def blurred(path: Path, scale: float = 1.0) -> Interpolant:
    """The points of a path between two sets of data, with `gamma^2 = scale^2 t (1 - t)`.

    Example: `blurred(trigonometric(), 0.5)`. Raises ValueError unless `scale` is positive.
    """
    if not scale > 0:
        raise ValueError(
            f"blurred: got scale={scale}, wanted more than 0; without noise there is no score to learn: "
            "that is flow matching"
        )
    return Interpolant(path.point, lambda t: scale**2 * t * (1 - t))


def brownian(scale: float = 1.0) -> Interpolant:
    """The Brownian bridge: `scale` times a Brownian motion that starts at z and is known to end at x.

    `x_t ~ N((1 - t) z + t x, scale^2 t (1 - t))`. Given the end its drift is `(x - x_t) / (1 - t)`, and at
    `eps = scale^2 / 2` the drift of all is the mean of these.
    """
    return blurred(linear(), scale)


def drift(
    field: Network, interpolant: Interpolant, level: Callable[..., Any] = jnp.zeros_like
) -> Network:
    """`v + (eps - (gamma^2)'/2) s` of a field that gives both, `(x, t, cond) -> (v, s)`; `level(t)` is eps.

    The velocity of the probability flow where the level is left out. The same parameters.
    Example: `drift(field, brownian(s), lambda t: s**2 / 2)` is that of the Schrödinger bridge.
    """

    def apply(params, x, t, cond=None):
        velocity, score = field.apply(params, x, t, cond)
        growth = jax.jvp(interpolant.variance, (t,), (jnp.ones_like(t),))[1]
        return velocity + (level(t) - growth / 2) * score

    return Network(field.init, apply)
