"""The Fréchet distance of two samples of features, from moments that are gathered batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import jax
import numpy as np

from .distances import flat


class Moments(NamedTuple):
    """A Gaussian: `n` examples, `mean: f64[d]`, `scatter: f64[d, d] = sum (x - mean) (x - mean)'`."""

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        return self.scatter / (self.n - 1)


def moments(batches: Iterable) -> Moments:
    """The moments of `batches`, an iterable of `[n_i, *event]`; or of one such array.

    Only one batch is held at a time, and memory is a few times `d^2` doubles. All sums are in double
    precision about a mean (`merge`), so that a large mean does not drown the spread.

    Raises ValueError if there is no batch, or for a number that is not finite.
    """
    batches = [batches] if hasattr(batches, "ndim") else batches
    parts = map(_moments_of, batches)
    try:
        first = next(parts)
    except StopIteration:
        raise ValueError(
            "moments: got no batch, wanted one or more; a generator serves only once"
        ) from None
    return reduce(merge, parts, first)


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of two samples together.

    `M = M_a + M_b + (n_a n_b / n) (m_b - m_a)(m_b - m_a)'`. Chan et al. (1983), Am. Stat. 37.
    """
    _same_dimension("merge", a, b)
    n, shift = a.n + b.n, b.mean - a.mean
    between = np.outer(shift * (a.n * b.n / n), shift)
    return Moments(n, a.mean + shift * (b.n / n), a.scatter + b.scatter + between)


def frechet_distance(a: Moments, b: Moments, singular: bool = False) -> float:
    """`|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a^1/2 S_b S_a^1/2)^1/2)`, the squared W_2 of two Gaussians.

    In squared units of the features, at least zero. An estimate from n samples lies about `c / n` above
    that of the laws: compare at one n, or see `frechet_infinity`.

    Dowson & Landau (1982), J. Multivar. Anal. 12; Heusel et al. (2017), arXiv:1706.08500. Raises
    ValueError for other dimensions, fewer than two examples, and unless n > d: the covariance of fewer
    has no full rank and the bias outweighs the distance. `singular` accepts that.
    """
    _same_dimension("frechet_distance", a, b)
    d = len(a.mean)
    for n in (a.n, b.n):
        if n < 2 or (n <= d and not singular):
            raise ValueError(
                f"frechet_distance: got {n} examples of dimension {d}, wanted more than "
                f"{1 if singular else d} for a covariance of full rank; take more examples, fewer "
                "features, or accept the bias with singular=True"
            )
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ b.covariance @ root)
    fidelity = np.sqrt(np.maximum(product, 0)).sum()
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2 * fidelity
    return max(float(((a.mean - b.mean) ** 2).sum() + spread), 0.0)


class Extrapolation(NamedTuple):
    """`distance` at infinitely many samples, its standard error, and the slope in 1/n."""

    distance: float
    standard_error: float
    slope: float


def frechet_infinity(x, y, key, parts: int = 5, groups: int = 10) -> Extrapolation:
    """The Fréchet distance of `x: [n, *event]` and `y: [m, *event]` without its bias in 1/n.

    `FD_n = FD + slope / n` for n well above d: both are cut into k disjoint parts, k = 1 .. `parts`,
    whose mean distance is fitted by a line in k / min(n, m); the intercept is the answer and may be
    slightly negative. Its standard error leaves out one of `groups` tenths of the samples after the
    other (delete-a-group jackknife), since the parts are of the same samples. The last of the larger
    sample are left out after shuffling. For one law the error comes out too large, about twice.

    Chong & Forsyth (2020), arXiv:1911.07023. Raises ValueError if the smallest part has d or fewer.
    """
    x, y = (finite("frechet_infinity", z) for z in flat("frechet_infinity", x, y))
    n = min(len(x), len(y))
    x, y = (z[_shuffled(k, len(z))[:n]] for k, z in zip(jax.random.split(key), (x, y), strict=True))
    slope, whole = _line(x, y, parts)
    left = np.arange(n) % groups
    spared = [_line(x[left != g], y[left != g], parts)[1] for g in range(groups)]
    error = math.sqrt((groups - 1) * np.var(spared))
    return Extrapolation(float(whole), error, float(slope))


def _line(x, y, parts):
    """Slope and intercept of the distance over `1 / n`."""
    counts = np.arange(1, parts + 1)
    means = [np.mean([_between(x[i::k], y[i::k]) for i in range(k)]) for k in counts]
    return np.polyfit(counts / len(x), means, 1)


def _between(x, y):
    return frechet_distance(moments(x), moments(y))


def _shuffled(key, n):
    return np.asarray(jax.random.permutation(key, n))


def _moments_of(batch) -> Moments:
    x = np.asarray(batch)
    x = finite("moments", x.reshape(len(x), math.prod(x.shape[1:]))).astype(np.float64)
    if not len(x):
        raise ValueError("moments: got a batch of no examples, wanted one or more; leave it out")
    mean = x.mean(0)
    x -= mean
    return Moments(len(x), mean, x.T @ x)


def _same_dimension(who, a, b):
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"{who}: got features of dimensions {len(a.mean)} and {len(b.mean)}, wanted one; "
            "take both from the same extractor"
        )


def finite(who: str, x) -> np.ndarray:
    """`x: [n, d]` as an array of numpy; raises ValueError if any number of it is not finite."""
    x = np.asarray(x)
    wrong = np.flatnonzero(~np.isfinite(x).all(1))
    if len(wrong):
        raise ValueError(
            f"{who}: got {len(wrong)} of {len(x)} examples that are not finite, first at row "
            f"{wrong[0]}, wanted none; count them as failures and drop them"
        )
    return x
