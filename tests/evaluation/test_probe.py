"""Probes of features: where the best accuracy is known, and scikit-learn's neighbours."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.neighbors import KNeighborsClassifier

from probtransform.evaluation import linear_probe, neighbour_accuracy


def two_normals(count, seed, apart=2.0):
    """Labels -1 and 4; normals `apart` from one another in the first of three numbers of unequal scale."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, count)
    x = random.normal(size=(count, 3))
    x[:, 0] += apart * (y - 0.5)
    return x * [1e-3, 1.0, 1e3] + [5.0, 0.0, -1e3], np.where(y, 4, -1)


def test_a_linear_probe_of_two_normals_is_as_good_as_can_be():
    """Bayes: `Phi(apart / 2)`, whatever the scales."""
    found = linear_probe(*two_normals(4000, 0), *two_normals(20_000, 1))
    assert abs(found - norm.cdf(1.0)) < 0.01


def test_a_linear_probe_does_not_bend():
    """Of exclusive or it knows little; the neighbours know it."""
    x = np.random.default_rng(0).normal(size=(3000, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    assert linear_probe(x[:2000], y[:2000], x[2000:], y[2000:]) < 0.7
    assert neighbour_accuracy(x[:2000], y[:2000], x[2000:], y[2000:]) > 0.95


def test_neighbours_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(500, 4)), random.integers(0, 3, 500) * 5
    x += y[:, None] * [0.1, 0, 0, 0.2]
    for count in (1, 7, 20):
        theirs = KNeighborsClassifier(count, metric="cosine", algorithm="brute")
        wanted = theirs.fit(x[:400], y[:400]).score(x[400:], y[400:])
        assert neighbour_accuracy(x[:400], y[:400], x[400:], y[400:], count, chunk=33) == wanted


@pytest.mark.parametrize("probe", [linear_probe, neighbour_accuracy])
def test_wrong_features_are_refused(probe):
    x, y = two_normals(10, 0)
    with pytest.raises(ValueError, match=r"features of shape \(10, 2\) .* wanted \[n, 3\]"):
        probe(x, y, x[:, :2], y)
    with pytest.raises(ValueError, match=r"labels of shape \(9,\)"):
        probe(x, y[:9], x, y)
    x[3, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        probe(x, y, x, y)
