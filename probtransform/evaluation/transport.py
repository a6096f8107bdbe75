"""Optimal transport between two samples: exact, and smoothed by an entropy."""

from __future__ import annotations

import jax
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from ..objectives.divergences.sinkhorn import debiased
from .distances import flat
from .frechet import finite


def wasserstein(x, y, order: int = 2) -> float:
    """The Wasserstein distance of order 1 or 2 between `x: [n, *event]` and `y: [n, *event]`, exactly.

    `(min_s mean_i |x_i - y_s(i)|^order)^(1/order)` over permutations s: for equal numbers one of them is
    a best plan. In the units of the data. Time `n^3`, memory `n^2` doubles: a second at n = 2,000.
    Between two samples of one law it is not zero but falls as slowly as `n^(-1/d)`.

    Kantorovich (1942); Crouse (2016), IEEE TAES 52. Raises ValueError for samples of other sizes.
    """
    x, y = (finite("wasserstein", z).astype(np.float64) for z in flat("wasserstein", x, y))
    if len(x) != len(y) or order not in (1, 2):
        raise ValueError(
            f"wasserstein: got {len(x)} and {len(y)} examples and order {order}, wanted equally many and "
            "order 1 or 2; cut the larger sample, or use sliced_wasserstein"
        )
    cost = cdist(x, y) if order == 1 else cdist(x, y, "sqeuclidean")
    return float(cost[linear_sum_assignment(cost)].mean() ** (1 / order))


def sinkhorn_divergence(x, y, epsilon: float) -> float:
    """The Sinkhorn divergence of `x: [n, *event]` and `y: [m, *event]` at temperature `epsilon`.

    `OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2` with `OT = min_P <P, C> + epsilon KL(P || a b')` and the
    squared Euclidean cost C, whole and not halved. It and `epsilon` are in squared units of the data:
    towards zero it becomes the squared W_2, towards infinity the squared distance of the means.

    Feydy et al. (2019), arXiv:1810.08278. In double
    precision. Raises ValueError if it does not converge in 10,000 rounds.
    """
    x, y = (finite("sinkhorn_divergence", z) for z in flat("sinkhorn_divergence", x, y))
    if not epsilon > 0:
        raise ValueError(
            f"sinkhorn_divergence: got epsilon={epsilon}, wanted a number above zero; "
            "use wasserstein for the limit"
        )
    with jax.enable_x64(True):  # potentials cancel where epsilon is small
        x, y = x.astype(np.float64), y.astype(np.float64)
        divergence, error = jax.jit(debiased)(x, y, float(epsilon), 1e-7)
    if not float(error) <= 1e-7:
        raise ValueError(
            f"sinkhorn_divergence: got no convergence at epsilon={epsilon}, wanted marginals within "
            "1e-7; pass a larger epsilon"
        )
    return float(divergence)
