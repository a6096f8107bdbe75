"""Mutual information between codes and factors: the gap to the second best, and modularity."""

from __future__ import annotations

import numpy as np

from ..frechet import finite

BINS = 20


def checked(who: str, codes, factors) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays `[n, k]` and `[n, f]`. Raises ValueError unless they are of the same examples."""
    codes, factors = np.asarray(codes), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not len(codes):
        raise ValueError(
            f"{who}: got codes of shape {codes.shape} and factors of shape {factors.shape}, wanted [n, k] "
            "and [n, f] of the same n examples; one row an example"
        )
    if still := np.flatnonzero(factors.min(0) == factors.max(0)).tolist():
        raise ValueError(
            f"{who}: got factors {still} that never vary, wanted several values of each; leave them out"
        )
    return finite(who, codes), factors


def halves(who: str, codes, factors, test_codes, test_factors):
    """Both parts as arrays, the first `checked`. Raises ValueError unless their columns are the same."""
    codes, factors = checked(who, codes, factors)
    test_codes, test_factors = np.asarray(test_codes), np.asarray(test_factors)
    shapes = [test_codes.shape, test_factors.shape]
    if shapes != [(len(test_codes), a.shape[1]) for a in (codes, factors)]:
        raise ValueError(
            f"{who}: got a test part of shapes {shapes[0]} and {shapes[1]}, wanted [m, {codes.shape[1]}] and "
            f"[m, {factors.shape[1]}], as those learned from; pass the same columns"
        )
    return codes, factors, finite(who, test_codes), test_factors


def discretised(x, bins: int = BINS) -> np.ndarray:
    """Each column of `x: [n, k]` cut into `bins` cells of one width, from its least value to its largest."""
    columns = np.asarray(x).T
    return np.stack([np.digitize(c, np.histogram(c, bins)[1][:-1]) for c in columns], 1)


def mutual_information(symbols, factors) -> np.ndarray:
    """`I(symbol_i; factor_j)` of the columns of integers `[n, k]` and `[n, f]`, in nats, `[k, f]`."""
    from sklearn.metrics import mutual_info_score  # a second to import

    table = [
        [mutual_info_score(s, f) for f in np.transpose(factors)] for s in np.transpose(symbols)
    ]
    return np.array(table)


def mig(codes, factors, bins: int = BINS) -> float:
    """The mutual information gap, `mean_j (I_(1)j - I_(2)j) / H(factor_j)`, in [0, 1].

    The two codes that know most of a factor are compared, codes cut into `bins` cells. 1 if every factor
    is known by one code alone; 0 if by two codes alike, so for a rotation by 45 degrees.

    Chen et al. (2018), arXiv:1802.04942. Raises ValueError for one code alone, or a factor that never varies.
    """
    codes, factors = checked("mig", codes, factors)
    if codes.shape[1] < 2:
        raise ValueError("mig: got 1 code, wanted at least 2: it compares the best with the second")
    known = np.sort(mutual_information(discretised(codes, bins), factors), 0)
    entropy = np.diag(mutual_information(factors, factors))
    return float(np.mean((known[-1] - known[-2]) / entropy))


def modularity(codes, factors, bins: int = BINS) -> float:
    """`mean_i 1 - (sum_j I_ij^2 - max_j I_ij^2) / ((f - 1) max_j I_ij^2)`, in [0, 1].

    1 if every code knows of one factor alone, however many codes do; a code that knows nothing counts 0.
    Ridgeway & Mozer (2018), arXiv:1802.05312. Raises ValueError for one factor alone.
    """
    codes, factors = checked("modularity", codes, factors)
    if factors.shape[1] < 2:
        raise ValueError("modularity: got 1 factor, wanted at least 2: it compares them")
    return modularity_of(mutual_information(discretised(codes, bins), factors))


def modularity_of(information) -> float:
    """The same of a table of mutual information `[k, f]`."""
    squared = np.square(information)
    most = squared.max(1)
    others = (squared.sum(1) - most) / (squared.shape[1] - 1)
    return float(np.mean(np.where(most > 0, 1 - others / np.where(most > 0, most, 1), 0)))
