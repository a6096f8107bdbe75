"""Riemannian flow matching: learn a field of tangents by regression on the velocities of geodesics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..core import Distribution, Network
from ..paths import Geodesic, Manifold


def geodesic_matching(
    network: Network,
    name: str,
    manifold: Manifold,
    base: Distribution[Any],
    coupling: Callable[..., Any] | None = None,
):
    """`E |v(x_t, t) - dx_t/dt|^2 / dimension` along geodesics, t uniform, z from the base. A player's loss.

    The minimiser is the mean velocity given x_t, whose flow carries the base to the data.
    `network.apply(params[name], x, t, cond)` is a tangent at x, `x: f32[size]`. A `coupling`, such as
    `coupling.optimal(squared_geodesic(manifold))`, says which draw goes with which example of a batch.

    Chen & Lipman (2023), arXiv:2302.03660.
    """
    path = Geodesic(manifold)

    def error(params, t, z, x, cond):
        found = network.apply(params[name], path.point(x, z, t), t, cond)
        return ((found - path.velocity(x, z, t)) ** 2).sum() / manifold.dimension

    def loss(params, carry, key, batch):
        draw, when, pair = jax.random.split(key, 3)
        keys = jax.random.split(draw, len(batch.x))
        z = jax.vmap(base.sample, (None, 0, 0))(params, keys, batch.cond)
        if coupling is not None:
            z = z[coupling(pair, z, batch.x, batch.cond)]
        t = jax.random.uniform(when, (len(batch.x),))
        mean = jax.vmap(error, (None, 0, 0, 0, 0))(params, t, z, batch.x, batch.cond).mean()
        return mean, (carry, {"matching": mean})

    return loss


def squared_geodesic(manifold: Manifold) -> Callable[..., Any]:
    """The cost `distance(z_i, x_j)^2` of a coupling: with it, optimal transport is that of the manifold."""

    def cost(z, x, cond=None):
        def pair(x, z):
            return (manifold.log(x, z) ** 2).sum()

        return jax.vmap(jax.vmap(pair, (None, 0)), (0, None))(x, z)

    return cost
