"""UniPC: a predictor and, from the same call, a corrector of the step before."""

from __future__ import annotations

import numpy as np

from ..paths import Path
from .exponential import Step, line, of
from .grids import checked
from .table import Row, Table, tabulated


def unipc(path: Path, times, predicts: str, order: int = 2) -> Table:
    """Order 1 to 3 of the data prediction, `B(h) = exp(h) - 1`; the corrector adds one, without a call.

    The prediction made at the predicted point of a time also corrects that point before the next step.
    Zhao et al. (2023), arXiv:2302.04867. Raises ValueError for another order.
    """
    of(order, "unipc", 3)
    grid = checked(times)
    along, rows = line(path, grid, "data"), []
    corrected = np.array([0.0, 1.0])  # the base of this row in (base, point, newest, ...)
    for i in range(len(grid) - 1):
        if i:
            step, n = along.step(i - 1, i), known(along.lam, i - 1, order)
            kept, past = step.kept, weights(step, along.lam[i - n : i][::-1], along.lam[i])
            corrected = np.array([kept, 0.0, *past])
        step, n = along.step(i, i + 1), known(along.lam, i, order)
        n = n if np.isfinite(step.h) else 1
        ahead = np.zeros(max(len(corrected), 2 + n))
        ahead[: len(corrected)] = step.kept * corrected
        ahead[2 : 2 + n] += weights(step, along.lam[i - n + 1 : i + 1][::-1])
        rows.append(Row(along.at(i), "data", tuple(ahead), tuple(corrected)))
    return tabulated(rows, predicts, along.rates.sigma[0])


def known(lam: np.ndarray, i: int, order: int) -> int:
    """How many predictions up to the i-th serve, at most `order`: none from infinitely far back."""
    n = min(order, i + 1)
    return 1 + int(np.isfinite(lam[i - n + 1 : i][::-1]).cumprod().sum())


def weights(step: Step, lams, end=None) -> np.ndarray:
    """What predictions at `lams`, newest first, add to a step from the first of them.

    With the prediction at its `end`, which comes first then: the corrector. Powers of the distances are
    matched to the moments of the exponential, `sum_k rho_k r_k^(i-1) = b_i`.
    """
    h, n = step.h, len(lams)
    r = (np.asarray(lams[1:]) - lams[0]) / h
    if end is not None:
        if not np.isfinite(h):
            return np.array([0.0, step.first] + [0.0] * (n - 1))
        r = np.append(r, 1.0)
    if not len(r):
        return np.array([step.first])
    phi = np.expm1(-h) / -h - 1
    moments, factorial = [], 1.0
    for i in range(1, len(r) + 1):
        moments.append(phi * factorial / np.expm1(-h))
        factorial *= i + 1
        phi = phi / -h - 1 / factorial
    rho = np.array([0.5])  # of one difference, what the authors found best
    if len(r) > 1:
        rho = np.linalg.solve(np.vander(r, increasing=True).T, moments)
    by = step.first * rho / r  # of each difference to the prediction at the start
    others = by if end is None else by[:-1]
    added = np.concatenate([[step.first - by.sum()], others])
    return added if end is None else np.concatenate([by[-1:], added])
