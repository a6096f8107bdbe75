"""The probability flow of a path: the equation that carries noise to data, whatever the network predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.distribution import carried
from ..paths import Path, as_view, at, view_at
from .flow import flow
from .trace import Trace


def probability_flow(
    network: Network,
    path: Path,
    predicts: str,
    steps: int = 32,
    trace: Trace | None = None,
    solve: Callable[..., Any] | None = None,
) -> Transform[Exact]:
    """`x(1)` of `dx/dt = velocity` from `x(0) = sigma(0) z`: the `flow` of `as_view(network, ...)`.

    Its block is the network's, so that a `sampler` may take its place. What the base hides of the data,
    `alpha(0) x`, is left out. The claim is exact up to the error of the solver.

    Song et al. (2021), arXiv:2011.13456. Raises ValueError where the prediction does not tell the velocity
    at both ends of the path: `retimed(path, lambda t: 0.999 * t)` ends before one.
    """
    view_at(path, [0.0, 1.0], predicts, "velocity")
    velocity = as_view(network, path, predicts, "velocity")
    along = flow(velocity, steps, trace, solve)
    scale = float(at(path, 0.0).sigma)

    def forward(params, key, z, cond=None):
        return along.forward(params, key, scale * z, cond)

    def joint(params, key, z, cond=None):
        x, weight = carried(along)(params, key, scale * z, cond)
        return x, weight - z.size * jnp.log(scale)

    def inverse(params, key, x, cond=None):
        z, weight = along.inverse.fn(params, key, x, cond)
        return z / scale, weight - z.size * jnp.log(scale)

    return Transform(network.init, forward, Exact(inverse), joint)
