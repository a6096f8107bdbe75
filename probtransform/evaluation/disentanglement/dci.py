"""Disentanglement, completeness, informativeness: which codes a predictor of each factor leans on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import entropy

from .information import halves


class DCI(NamedTuple):
    """Each in [0, 1]; `informativeness` is accuracy on test examples, `train` on those learned from."""

    disentanglement: float
    completeness: float
    informativeness: float
    train: float


def dci(codes, factors, test_codes, test_factors, classifier: Any = None) -> DCI:
    """The three of a classifier of each factor from all codes, by its `feature_importances_`.

    By default gradient boosted trees as scikit-learn has them: some minutes for 10,000 examples of factors
    with many values. Eastwood & Williams (2018), ICLR. Raises ValueError for fewer than two codes or factors,
    or other shapes.
    """
    from sklearn.base import clone  # a second to import
    from sklearn.ensemble import GradientBoostingClassifier

    codes, factors, test_codes, test_factors = halves(
        "dci", codes, factors, test_codes, test_factors
    )
    if min(codes.shape[1], factors.shape[1]) < 2:
        raise ValueError(
            f"dci: got {codes.shape[1]} codes and {factors.shape[1]} factors, wanted at least 2 of each: it "
            "compares them"
        )
    if classifier is None:
        classifier = GradientBoostingClassifier(random_state=0)
    fits = [clone(classifier).fit(codes, factor) for factor in factors.T]
    importance = np.abs(np.stack([fit.feature_importances_ for fit in fits], 1))
    held_out, seen = (
        float(np.mean([fit.score(x, y) for fit, y in zip(fits, ys.T, strict=True)]))
        for x, ys in ((test_codes, test_factors), (codes, factors))
    )
    return DCI(disentanglement(importance), completeness(importance), held_out, seen)


def disentanglement(importance) -> float:
    """A factor for each code: `1 - H(row) / log f` of a table `[codes, factors]`, rows by sums."""
    return even(np.asarray(importance))


def completeness(importance) -> float:
    """A code for each factor: `1 - H(column) / log k` of a table `[codes, factors]`, columns by sums."""
    return even(np.asarray(importance).T)


def even(table: np.ndarray) -> float:
    """Mean over rows, by their sums, of 1 minus the entropy over the largest; 0 for a table of zeros."""
    peaked = 1 - entropy(table + 1e-11, base=table.shape[1], axis=1)
    weights = table.sum(1) if table.sum() else np.ones(len(table))
    return float(np.average(peaked, weights=weights))
