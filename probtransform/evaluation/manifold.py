"""Precision, recall, density and coverage: two samples seen as unions of balls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .distances import flat
from .frechet import finite

ROWS = 512  # of a distance matrix in memory at once


class Manifold(NamedTuple):
    """Shares in [0, 1]; density alone may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(data, samples, k: int = 5) -> Manifold:
    """How much of `samples: [m, *event]` is like `data: [n, *event]`, and how much of data is reached.

    A point's ball reaches to its k-th nearest neighbour in its own sample, itself not counted.
    precision: samples in the ball of some example; recall: examples in the ball of some sample;
    density: balls of examples around a sample, over k; coverage: examples with a sample in their
    ball. For one law density is 1 and coverage `1 - 2^-k` in expectation at n = m.

    Kynkäänniemi et al. (2019), arXiv:1904.06991; Naeem et al. (2020), arXiv:2002.09797. Raises
    ValueError unless `1 <= k < n, m`.
    """
    x, y = centred("precision_recall", data, samples)
    if not 1 <= k < min(len(x), len(y)):
        raise ValueError(
            f"precision_recall: got k={k} and {len(x)} and {len(y)} examples, wanted 1 <= k < both; "
            "pass a smaller k or more examples"
        )
    reach_x, reach_y = radii(x, k), radii(y, k)
    balls = np.zeros(len(y), int)  # of examples, around each sample
    recalled, covered = np.zeros(len(x), bool), np.zeros(len(x), bool)
    for rows, distance in distance_rows(x, y):
        inside = distance < reach_x[rows, None]
        balls += inside.sum(0)
        covered[rows] = inside.any(1)
        recalled[rows] = (distance < reach_y).any(1)
    shares = (balls > 0).mean(), recalled.mean(), balls.mean() / k, covered.mean()
    return Manifold(*map(float, shares))


def radii(x: np.ndarray, k: int) -> np.ndarray:
    """The distance of each of `x: [n, d]` to its k-th nearest neighbour among the others."""
    reach = np.empty(len(x))
    for rows, distance in distance_rows(x, x):
        reach[rows] = np.partition(without_self(rows, distance), k - 1, axis=1)[:, k - 1]
    return reach


def without_self(rows: slice, distance: np.ndarray) -> np.ndarray:
    """Rows of the distances of a sample to itself, with the example's own at infinity."""
    distance[np.arange(len(distance)), np.arange(rows.start, rows.start + len(distance))] = np.inf
    return distance


def distance_rows(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some rows of the matrix `|x_i - y_j|` after others, as `(rows, [rows, m])`."""
    squares = (y**2).sum(1)
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        squared = (x[rows] ** 2).sum(1)[:, None] + squares - 2 * x[rows] @ y.T
        yield rows, np.sqrt(np.maximum(squared, 0))


def centred(who: str, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Both samples as `f64[n, d]` about the mean of y: distances do not see it, but rounding does."""
    x, y = (finite(who, z).astype(np.float64) for z in flat(who, x, y))
    middle = y.mean(0)
    return x - middle, y - middle
