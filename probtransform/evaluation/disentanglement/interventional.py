"""Interventional robustness: how far a code moves while the factor it answers to is held."""

from __future__ import annotations

import numpy as np

from .information import BINS, checked, discretised


def irs(codes, factors, quantile: float = 0.99, bins: int = BINS) -> float:
    """`max_j 1 - mean_v Q |z_i - E[z_i | g_j = v]| / max |z_i - E z_i|`, averaged over codes i.

    Q is the `quantile` of deviations among examples whose factor j has the value v (1 in the paper), factors
    cut into `bins` cells at most, codes weighed by their largest deviation; those that never vary are left
    out. 1 if one factor fixes each code, 0 if no code varies.

    Suter et al. (2019), arXiv:1811.00007. Raises ValueError for other shapes.
    """
    codes, factors = checked("irs", codes, factors)
    codes = codes[:, codes.var(0) > 0]
    if not codes.size:
        return 0.0
    furthest = abs(codes - codes.mean(0)).max(0)

    def held(factor):
        """Mean over the factor's values of the quantile of deviations, `[k]`."""
        groups = [codes[factor == value] for value in np.unique(factor)]
        return np.mean([np.quantile(abs(g - g.mean(0)), quantile, axis=0) for g in groups], 0)

    table = 1 - np.stack([held(f) for f in discretised(factors, bins).T], 1) / furthest[:, None]
    return float(np.average(table.max(1), weights=furthest))
