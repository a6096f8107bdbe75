"""Learned flow maps as transforms: from the base to the data in one call of a network, or a few."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Network, Transform
from ..integrate.grids import checked
from ..paths import Path, as_flow_map, linear


def flow_map(
    network: Network, times, path: Path | None = None, predicts: str = "velocity"
) -> Transform[None]:
    """`X(... X(sigma(0) z, t_0, t_1) ..., t_n-1, t_n)`, n calls: `z, x: f32[*event]`. Ignores its key.

    `times` begin at 0 and end at 1. `network.apply(params, x, s, t, cond)` is a mean velocity on the linear
    path, if not told otherwise; see `paths.as_flow_map`.

    Example: `flow_map(network, grids.uniform(1))` samples in one call.
    Raises ValueError for times that do not increase from 0 to 1.
    """
    path, grid = path or linear(), whole(times)
    jumps = as_flow_map(network, path, predicts)

    def forward(params, key, z, cond=None):
        def ahead(x, step):
            return jumps.apply(params, x, *step, cond), None

        grid_z = jnp.asarray(grid, z.dtype)
        return jax.lax.scan(ahead, path.sigma(grid_z[0]) * z, (grid_z[:-1], grid_z[1:]))[0]

    return Transform(network.init, forward, None)


def renoised(
    network: Network, times, path: Path | None = None, predicts: str = "velocity"
) -> Transform[None]:
    """Each call goes all the way, `x^ = X(x, t_i, 1)`, and noise comes back, `x = path.point(x^, z, t_i+1)`.

    For maps that only know their way to the data, the same number of calls as `flow_map`; the last x^ is the
    sample. New noise at every call forgets the errors of the calls before.

    Song et al. (2023), arXiv:2303.01469, Algorithm 1. Raises ValueError as `flow_map`.
    """
    path, grid = path or linear(), whole(times)
    jumps = as_flow_map(network, path, predicts)

    def forward(params, key, z, cond=None):
        grid_z = jnp.asarray(grid, z.dtype)

        def home(x, s):
            return jumps.apply(params, x, s, grid_z[-1], cond)

        def again(x, step):
            s, key = step
            return home(path.point(x, jax.random.normal(key, x.shape, x.dtype), s), s), None

        keys = jax.random.split(key, len(grid) - 2)
        first = home(path.sigma(grid_z[0]) * z, grid_z[0])
        return jax.lax.scan(again, first, (grid_z[1:-1], keys))[0]

    return Transform(network.init, forward, None)


def whole(times) -> np.ndarray:
    grid = checked(times)
    if grid[0] != 0 or grid[-1] != 1:
        raise ValueError(
            f"flow_map: got times from {grid[0]:g} to {grid[-1]:g}, wanted all the way from the base at 0 to "
            "the data at 1; add the ends"
        )
    return grid
