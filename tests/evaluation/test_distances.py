"""Distances against brute force in double precision, closed forms and their null."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import wasserstein_distance
from sklearn.metrics.pairwise import rbf_kernel

from probtransform.evaluation import bandwidths, mmd, sliced_wasserstein
from probtransform.objectives.divergences.wasserstein import quantile_coupling

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5)).astype(np.float32)
Y = (1.3 * RNG.normal(size=(170, 5)) + 0.4).astype(np.float32)


def brute_mmd(x, y, widths):
    def kernel(a, b):
        return np.mean([np.exp(-(cdist(a, b) ** 2) / (2 * h**2)) for h in widths], axis=0)

    def within(a):
        return (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))

    x, y = np.float64(x), np.float64(y)
    return within(x) + within(y) - 2 * kernel(x, y).mean()


@pytest.mark.parametrize("width", [0.7, (0.5, 3.0)])
def test_mmd_is_the_double_sum(width):
    expected = brute_mmd(X, Y, np.atleast_1d(width))
    assert mmd(X, Y, width) == pytest.approx(expected, abs=1e-6)


def test_biased_mmd_is_the_distance_of_the_samples_themselves():
    gram = rbf_kernel(np.concatenate([X, Y]), gamma=1 / (2 * 2.0**2))
    weight = np.concatenate([np.full(len(X), 1 / len(X)), np.full(len(Y), -1 / len(Y))])
    assert mmd(X, Y, 2.0, biased=True) == pytest.approx(weight @ gram @ weight, abs=1e-6)
    assert mmd(X, X, 2.0, biased=True) == pytest.approx(0, abs=1e-6)


def test_mmd_keeps_its_precision_far_from_the_origin():
    assert mmd(X + 300, Y + 300, 2.0) == pytest.approx(brute_mmd(X, Y, [2.0]), abs=2e-5)


def test_default_bandwidths_surround_the_median_distance():
    median = np.median(pdist(np.concatenate([X, Y])))
    np.testing.assert_allclose(bandwidths(X, Y), median * 2.0 ** np.arange(-2, 3), rtol=1e-4)
    assert mmd(X, Y) == pytest.approx(brute_mmd(X, Y, median * 2.0 ** np.arange(-2, 3)), abs=1e-6)


def test_mmd_of_two_gaussians_has_a_closed_form():
    # E k(a, b) for a - b ~ N(m, v I) is (h^2 / (h^2 + v))^(d/2) exp(-|m|^2 / (2 (h^2 + v)))
    h, shift, d = 1.5, 1.0, 2
    x, y = RNG.normal(size=(4000, d)), RNG.normal(shift / np.sqrt(d), size=(3000, d))
    same = (h**2 / (h**2 + 2)) ** (d / 2)
    truth = 2 * same * (1 - np.exp(-(shift**2) / (2 * (h**2 + 2))))
    assert mmd(x, y, h) == pytest.approx(truth, rel=0.1)


def test_mmd_is_zero_in_expectation_for_one_law_and_symmetric():
    halves = jax.random.normal(KEY, (200, 2, 40, 3))
    values = np.asarray(jax.vmap(lambda half: mmd(half[0], half[1], 1.0))(halves))
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(200)
    assert values.min() < 0  # without bias it cannot stay above zero
    assert mmd(X, Y) == pytest.approx(float(mmd(Y, X)), abs=1e-6)


def test_mmd_of_point_masses():
    x, y = np.zeros((4, 3), np.float32), np.ones((6, 3), np.float32)
    assert mmd(x, y, 1.0) == pytest.approx(2 * (1 - np.exp(-1.5)), abs=1e-6)
    assert mmd(x, x) == pytest.approx(0, abs=1e-6)


def test_on_a_line_the_slices_are_the_line():
    a, b = X[:, :1], Y[:170, :1]
    k = np.arange(300 * 170)  # both samples repeated to one length, then sorted
    w2 = np.sqrt(np.mean((np.sort(a[:, 0])[k // 170] - np.sort(b[:, 0])[k // 300]) ** 2))
    assert sliced_wasserstein(a, b, KEY, 3) == pytest.approx(w2, rel=1e-5)


def test_slices_average_the_distances_of_projections():
    directions = jax.random.normal(KEY, (256, 5))
    directions /= jnp.linalg.norm(directions, axis=1, keepdims=True)
    pairs = [(np.sort(X[:170] @ a), np.sort(Y @ a)) for a in np.asarray(directions)]
    expected = np.sqrt(np.mean([np.mean((a - b) ** 2) for a, b in pairs]))
    assert sliced_wasserstein(X[:170], Y, KEY) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("n, m", [(1, 1), (2, 3), (4, 6), (7, 7), (5, 1)])
def test_the_coupling_has_the_right_marginals_and_the_least_cost(n, m):
    i, j, mass = quantile_coupling(n, m)
    np.testing.assert_allclose(np.bincount(i, mass, n), 1 / n)
    np.testing.assert_allclose(np.bincount(j, mass, m), 1 / m)
    x, y = np.sort(RNG.normal(size=n)), np.sort(RNG.normal(size=m))
    assert mass @ np.abs(x[i] - y[j]) == pytest.approx(wasserstein_distance(x, y))
    assert len(mass) <= n + m - 1


def test_a_shift_is_its_length_over_root_d_and_a_scale_scales():
    x = jax.random.normal(KEY, (500, 4))
    shift = jnp.array([3.0, 0.0, -4.0, 0.0])
    assert sliced_wasserstein(x, x + shift, KEY, 4096) == pytest.approx(2.5, rel=0.03)
    near = float(sliced_wasserstein(x, Y[:, :4], KEY))
    assert sliced_wasserstein(7 * x, 7 * Y[:, :4], KEY) == pytest.approx(7 * near, rel=1e-4)
    assert sliced_wasserstein(Y[:, :4], x, KEY) == pytest.approx(near, rel=1e-5)
    assert sliced_wasserstein(x, x[::-1], KEY) == 0


def test_shifted_gaussians_of_other_spread():
    # every projection is W_2^2 = (a.s)^2 + (1 - 2)^2
    first, second = jax.random.split(KEY)
    x, y = jax.random.normal(first, (20_000, 3)), 2 * jax.random.normal(second, (15_000, 3)) + 1
    assert sliced_wasserstein(x, y, KEY, 128) == pytest.approx(np.sqrt(1 + 1), rel=0.05)


def test_events_are_flattened():
    assert mmd(X.reshape(300, 5, 1), Y.reshape(170, 5, 1), 1.0) == mmd(X, Y, 1.0)


@pytest.mark.parametrize("distance", [mmd, lambda x, y: sliced_wasserstein(x, y, KEY)])
def test_errors(distance):
    with pytest.raises(ValueError, match="two or more examples of one shape"):
        distance(X, Y[:, :4])
    with pytest.raises(ValueError, match="two or more"):
        distance(X, Y[:1])
    with pytest.raises(ValueError, match="wanted reals"):
        distance(X, np.zeros((3, 5), np.uint8))
