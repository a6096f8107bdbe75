"""Importance sampling: draws of one distribution, weighted into draws of another."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from ..core import Distribution, Exact, sample_and_log_density
from ..core.draw import in_chunks


class Reweighted(NamedTuple):
    """x: `[count, *event]`, draws of the distribution.  log_weights: `f64[count]`, of which exp sums to 1.
    ess: effective sample size over count, in (0, 1].  log_z: log of the integral of the target, nats.
    log_z_se: its standard error."""

    x: Any
    log_weights: np.ndarray
    ess: float
    log_z: float
    log_z_se: float


def reweighted(
    distribution: Distribution[Exact],
    params,
    key,
    log_target: Callable[[Any, Any], Any],
    count: int,
    cond=None,
    chunk: int = 1000,
) -> Reweighted:
    """`count` draws of a distribution q with weights `w = f(x) / q(x)`, `log f = log_target(x, cond)`.

    Means under `f/Z` are `sum exp(log_weights) g(x)`; `Z = E_q[w]`; `ess = (sum w)^2 / (count sum w^2)`. One
    near 1 says that q is right where it is; only draws of f itself could say what q misses.

    Kish (1965); Noé et al. (2019), arXiv:1812.01729. Raises ValueError unless the claim is Exact, or if a
    weight is not a number.
    """
    if not isinstance(distribution.density, Exact):
        raise ValueError(
            f"reweighted: got a claim of {type(distribution.density).__name__}, wanted Exact; without the "
            "density of a draw there is no weight"
        )
    x, log_w = in_chunks(weigh(distribution, log_target), count, chunk, params, key, (cond,))
    log_w = np.asarray(log_w, np.float64)
    if np.isnan(log_w).any() or (log_w == np.inf).any():
        raise ValueError(
            f"reweighted: got {np.isnan(log_w).sum()} of {count} weights that are not numbers, wanted none; "
            "look at the target where the distribution draws"
        )
    total = logsumexp(log_w)
    relative = np.exp(log_w - total + math.log(count))  # mean 1
    error = relative.std(ddof=1) / math.sqrt(count) if count > 1 else math.nan
    ess = 1 / float(np.mean(relative**2))
    return Reweighted(x, log_w - total, ess, float(total - math.log(count)), float(error))


@lru_cache(maxsize=8)
def weigh(distribution, log_target):
    def one(params, key, cond):
        x, log_q = sample_and_log_density(distribution, params, key, cond)
        return x, log_target(x, cond) - log_q

    return one
