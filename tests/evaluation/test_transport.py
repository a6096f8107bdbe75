"""Transport and the energy distance against brute force, closed forms and other libraries."""

from itertools import permutations

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import cdist

from probtransform.evaluation.energy_distance import energy_distance
from probtransform.evaluation.transport import sinkhorn_divergence, wasserstein

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3)).astype(np.float32)
Y = (1.3 * RNG.normal(size=(120, 3)) + 0.7).astype(np.float32)


@pytest.mark.parametrize("order", [1, 2])
def test_wasserstein_is_the_least_of_all_matchings(order):
    x, y = X[:6], Y[:6]
    cost = cdist(x, y) ** order
    least = min(cost[range(6), p].mean() for p in permutations(range(6)))
    assert wasserstein(x, y, order) == pytest.approx(least ** (1 / order), rel=1e-6)


def test_wasserstein_on_a_line_joins_quantiles():
    x, y = X[:, 0], Y[:, 0]
    assert wasserstein(x, y, 1) == pytest.approx(scipy.stats.wasserstein_distance(x, y), rel=1e-6)
    quantiles = np.sqrt(np.mean((np.sort(x) - np.sort(y)) ** 2))
    assert wasserstein(x, y) == pytest.approx(quantiles, rel=1e-6)


def test_a_shift_is_its_length():
    assert wasserstein(X, X[::-1] + np.float32([3, 0, -4]), 2) == pytest.approx(5, rel=1e-6)
    assert sinkhorn_divergence(X, X + np.float32([3, 0, -4]), 1.0) == pytest.approx(25, rel=1e-5)


@pytest.mark.peers
@pytest.mark.parametrize("order", [1, 2])
def test_wasserstein_equals_pot(order):
    ot = pytest.importorskip("ot")
    cost = cdist(X, Y) ** order
    assert wasserstein(X, Y, order) == pytest.approx(ot.emd2([], [], cost) ** (1 / order), rel=1e-5)


@pytest.mark.peers
@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_sinkhorn_divergence_equals_pot(epsilon):
    """POT reports `<P, C>` of a plan alone, so its plans are taken and the entropy is added here."""
    ot = pytest.importorskip("ot")

    def regularised(a, b):
        cost, n, m = cdist(np.float64(a), np.float64(b)) ** 2, len(a), len(b)
        p, q = np.full(n, 1 / n), np.full(m, 1 / m)
        plan = ot.sinkhorn(p, q, cost, epsilon, "sinkhorn_log", numItermax=5000, stopThr=1e-9)
        return (plan * cost).sum() + epsilon * scipy.special.rel_entr(plan, np.outer(p, q)).sum()

    y = Y[:70]
    expected = regularised(X, y) - (regularised(X, X) + regularised(y, y)) / 2
    assert sinkhorn_divergence(X, y, epsilon) == pytest.approx(expected, rel=1e-5)


def test_sinkhorn_divergence_between_its_limits():
    apart = ((X.mean(0) - Y.mean(0)) ** 2).sum()
    assert sinkhorn_divergence(X, Y, 1e3) == pytest.approx(apart, rel=1e-2)
    x, y = X[:20], Y[:20]
    assert sinkhorn_divergence(x, y, 0.2) == pytest.approx(wasserstein(x, y) ** 2, rel=0.05)


def test_sinkhorn_divergence_far_from_the_origin():
    near = sinkhorn_divergence(X, Y, 1.0)
    assert sinkhorn_divergence(X + 256, Y + 256, 1.0) == pytest.approx(near, rel=1e-4)


def test_energy_distance_is_the_double_sum():
    n, m, y = len(X), 70, Y[:70]
    within_x, within_y = cdist(X, X).sum() / (n * (n - 1)), cdist(y, y).sum() / (m * (m - 1))
    expected = 2 * cdist(X, y).mean() - within_x - within_y
    assert energy_distance(X, y) == pytest.approx(expected, rel=1e-5)
    assert energy_distance(X + 256, y + 256) == pytest.approx(expected, rel=1e-3)


def test_energy_distance_crosses_its_blocks():
    x, y = RNG.normal(size=(1100, 2)), RNG.normal(size=(600, 2))
    within = [cdist(z, z).sum() / (len(z) * (len(z) - 1)) for z in (x, y)]
    expected = 2 * cdist(x, y).mean() - sum(within)
    assert energy_distance(x, y) == pytest.approx(expected, abs=1e-6)


def test_energy_distance_on_a_line_is_scipys():
    """SciPy takes the root, and means over all pairs, an example with itself among them."""
    x, y = X[:, 0], Y[:70, 0]
    excess = sum(cdist(z[:, None], z[:, None]).mean() / (len(z) - 1) for z in (x, y))
    root = scipy.stats.energy_distance(x, y)
    assert energy_distance(x, y) + excess == pytest.approx(root**2, rel=1e-5)


def test_energy_distance_is_zero_in_expectation_for_one_law():
    values = np.array([energy_distance(*RNG.normal(size=(2, 30, 2))) for _ in range(300)])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(300)
    assert values.min() < 0


@pytest.mark.parametrize(
    "distance", [wasserstein, lambda x, y: sinkhorn_divergence(x, y, 1.0), energy_distance]
)
def test_errors(distance):
    with pytest.raises(ValueError, match="two or more examples of one shape"):
        distance(X, Y[:, :2])
    with pytest.raises(ValueError, match="wanted reals"):
        distance(X, np.zeros((120, 3), np.uint8))
    holed = X.copy()
    holed[[4, 9], 1] = np.nan
    with pytest.raises(ValueError, match="2 of 120 examples that are not finite, first at row 4"):
        distance(holed, Y)


def test_errors_of_their_own():
    with pytest.raises(ValueError, match="equally many"):
        wasserstein(X, Y[:50])
    with pytest.raises(ValueError, match="order 3"):
        wasserstein(X, Y, 3)
    with pytest.raises(ValueError, match="above zero"):
        sinkhorn_divergence(X, Y, 0.0)
    with pytest.raises(ValueError, match="no convergence"):
        sinkhorn_divergence(X, Y, 1e-5)
