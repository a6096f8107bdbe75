"""Separated attribute predictability: how much better the best code predicts a factor than the second."""

from __future__ import annotations

import numpy as np

from .information import halves


def sap(codes, factors, test_codes, test_factors) -> float:
    """`mean_j (S_(1)j - S_(2)j)`, S_ij the accuracy on test examples of naming factor j from code i alone.

    By linear support vector machines, `C = 0.01`, classes balanced. One against the rest, they cannot tell
    many values along a line apart: a perfect code of factors `0 .. 7` has about 0.25, not 1.

    Kumar et al. (2017), arXiv:1711.00848. Raises ValueError for one code alone, or other shapes.
    """
    codes, factors, test_codes, test_factors = halves(
        "sap", codes, factors, test_codes, test_factors
    )
    if codes.shape[1] < 2:
        raise ValueError("sap: got 1 code, wanted at least 2: it compares the best with the second")
    score = accuracies(codes, factors, test_codes, test_factors)
    best = np.sort(score, 0)
    return float(np.mean(best[-1] - best[-2]))


def accuracies(codes, factors, test_codes, test_factors) -> np.ndarray:
    """The table S, `[k, f]`."""
    from sklearn.svm import LinearSVC  # a second to import

    def accuracy(i: int, j: int) -> float:
        # the primal problem: the other solver is random
        machine = LinearSVC(C=0.01, class_weight="balanced", dual=False)
        machine.fit(codes[:, [i]], factors[:, j])
        return machine.score(test_codes[:, [i]], test_factors[:, j])

    k, f = codes.shape[1], factors.shape[1]
    return np.array([[accuracy(i, j) for j in range(f)] for i in range(k)])
