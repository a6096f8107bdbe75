"""Grids of time, where a sampler looks: from 0 (the base) to 1 (the data), in double precision."""

from __future__ import annotations

import numpy as np

from ..core.check import positive
from ..paths import Path, at, time_of


def uniform(steps: int) -> np.ndarray:
    """`0, 1/n, ..., 1`."""
    positive("grid", steps=steps)
    return np.arange(steps + 1) / steps


def power(steps: int, exponent: float) -> np.ndarray:
    """`1 - (1 - i/n)^exponent`: small steps near the data where the exponent is above one."""
    positive("grid", steps=steps)
    return 1 - (1 - np.arange(steps + 1) / steps) ** exponent


def log_snr(path: Path, steps: int, first: float = 0.0, last: float = 1.0) -> np.ndarray:
    """Equal steps of the path's log-SNR between two of its times, where it is finite."""
    positive("grid", steps=steps)
    ends = at(path, [first, last])
    if not ((ends.alpha > 0) & (ends.sigma > 0)).all():
        raise ValueError(
            f"grid: got times from {first:g} to {last:g}, wanted a finite log-SNR at both; begin or end "
            "a little further in"
        )
    low, high = 2 * np.log(ends.alpha / ends.sigma)
    times = time_of(path, low + (high - low) * np.arange(steps + 1) / steps)
    times[[0, -1]] = first, last
    return times


def karras(path: Path, steps: int, rho: float = 7.0, low: float = 0.002, high: float = 80.0):
    """`steps` times whose `sigma / alpha` goes from `high` to `low`, the root of degree rho in equal steps.

    `(high^(1/rho) + i/(n-1) (low^(1/rho) - high^(1/rho)))^rho`. Karras et al. (2022), arXiv:2206.00364.
    """
    positive("grid", steps=steps - 1)
    if not 0 < low < high:
        raise ValueError(f"grid: got low={low}, high={high}, wanted 0 < low < high; swap them")
    share = np.arange(steps) / (steps - 1)
    noise = (high ** (1 / rho) + share * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    return time_of(path, -2 * np.log(noise))


def checked(times) -> np.ndarray:
    """Times as a sampler needs them. Raises ValueError unless they increase from at least 0 to at most 1."""
    grid = np.asarray(times, np.float64)
    if grid.ndim != 1 or len(grid) < 2:
        raise ValueError(
            f"grid: got an array of shape {grid.shape}, wanted at least two times in a row; a sampler "
            "takes a step between each and the next"
        )
    if not (np.diff(grid) > 0).all():
        i = int(np.argmin(np.diff(grid) > 0))
        raise ValueError(
            f"grid: got {grid[i + 1]:g} after {grid[i]:g}, wanted times that increase, from the base at 0 "
            "to the data at 1; turn the grid round or leave out the repeated time"
        )
    return grid
