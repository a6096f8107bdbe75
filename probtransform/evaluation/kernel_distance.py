"""The kernel distance of features: an MMD without bias at any number of samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import numpy as np

from .distances import flat
from .frechet import finite


class KernelDistance(NamedTuple):
    """The squared MMD, a mean over subsets, and its standard error."""

    mean: float
    standard_error: float


def kernel_distance(x, y, key, subsets: int = 100, subset_size: int = 1000) -> KernelDistance:
    """The squared MMD of `x: [n, *event]` and `y: [m, *event]` with kernel `(a.b / d + 1)^3`.

    Unbiased, so zero in expectation for one law and possibly negative; the mean over random subsets of
    s = `subset_size` (at most half of the smaller sample, n). Subsets overlap, so their spread
    alone is no error: `sd^2 (s / (n - s) + 1 / subsets)` is the square of the standard error
    (delete-d jackknife, Shao & Wu 1989), too large rather than too small for one law.

    Binkowski et al. (2018), arXiv:1801.01401. Raises ValueError unless both are finite reals of one
    shape, four or more.
    """
    x, y = (finite("kernel_distance", z) for z in flat("kernel_distance", x, y))
    n = min(len(x), len(y))
    size = min(subset_size, n // 2)
    if size < 2 or subsets < 2:
        raise ValueError(
            f"kernel_distance: got {subsets} subsets of {size} out of {n} examples, wanted two or more "
            "of two or more; pass four examples or more"
        )
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))

    def subset(z):
        return z[random.choice(len(z), size, replace=False)]

    values = [cubic_mmd(subset(x), subset(y)) for _ in range(subsets)]
    error = np.std(values, ddof=1) * math.sqrt(size / (n - size) + 1 / subsets)
    return KernelDistance(float(np.mean(values)), float(error))


def cubic_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """`mean_{i!=j} k(x_i, x_j) + mean_{i!=j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)`, in double precision."""
    x, y = x.astype(np.float64), y.astype(np.float64)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a):
        gram, n = kernel(a, a), len(a)
        return (gram.sum() - np.trace(gram)) / (n * (n - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())
