"""Euler's steps of a drift that is known as it is, from a base of any law: tables without a Gaussian path.

The network's output is the drift. Read by `run`, whose first state is the base draw itself.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from ..paths.path import on_host
from .grids import checked
from .table import Table


def drifting(times, level: Callable = jnp.zeros_like) -> Table:
    """Euler and Maruyama's step of `dx = f dt + sqrt(2 eps) dW`: `x + h f + sqrt(2 h eps(t)) e`.

    `level(t)` is eps, a function of `jax.numpy`; of an ODE, zero, where it is left out. Order 1 in law.
    Example: `drifting(uniform(100), lambda t: 0.5 + 0 * t)`.
    """
    grid = checked(times)
    return steps(grid, 2 * np.diff(grid) * on_host(level, grid[:-1]))


def bridging(times, scale: float) -> Table:
    """A step of the Brownian bridge to where the drift heads: `x + h f + s sqrt(h (1 - t') / (1 - t)) e`.

    `f = (end - x) / (1 - t)` with the end that is expected at t. Euler and Maruyama's mean, with the noise
    that is left once the end is given: exact if it is certain, and none in a last step to t' = 1.
    """
    grid = checked(times)
    return steps(grid, scale**2 * np.diff(grid) * (1 - grid[1:]) / (1 - grid[:-1]))


def steps(grid: np.ndarray, variance: np.ndarray) -> Table:
    """`x + h f + sqrt(variance) e` from each time to the next."""
    h, one = np.diff(grid), np.ones(len(grid) - 1)
    noise = np.sqrt(np.stack([variance * one] * 2, 1))
    read, point = np.stack([0 * one, one], 1), np.stack([one, h], 1)
    return Table(grid[:-1], read, point, None, noise if noise.any() else None, np.float64(1.0))
