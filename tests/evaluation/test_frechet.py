"""The distances of features against other libraries, closed forms and their bias."""

import jax
import numpy as np
import pytest
from scipy.linalg import sqrtm

from probtransform.evaluation.frechet import (
    Moments,
    frechet_distance,
    frechet_infinity,
    merge,
    moments,
)
from probtransform.evaluation.inception_score import inception_score
from probtransform.evaluation.kernel_distance import cubic_mmd, kernel_distance

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(12, 12)) / 3
X = (RNG.normal(size=(400, 12)) @ MIX + 1).astype(np.float32)
Y = (RNG.normal(size=(300, 12)) * 0.8 + 0.3).astype(np.float32)


def test_moments_by_batches_are_those_of_the_whole():
    m = moments(X[i : i + 70] for i in range(0, 400, 70))
    assert m.n == 400 and m.mean.dtype == np.float64
    np.testing.assert_allclose(m.mean, np.float64(X).mean(0), rtol=1e-12)
    np.testing.assert_allclose(m.covariance, np.cov(np.float64(X), rowvar=False), rtol=1e-10)


def test_moments_keep_the_spread_beside_a_large_mean():
    x = RNG.normal(size=(1000, 3)) + 1e8
    m = moments(np.split(x, 10))
    np.testing.assert_allclose(m.covariance, np.cov(x - 1e8, rowvar=False), rtol=1e-6, atol=1e-8)


def test_frechet_distance_is_that_of_the_matrix_root():
    a, b = np.cov(X, rowvar=False), np.cov(Y, rowvar=False)
    cross = np.trace(sqrtm(a @ b).real)
    shift = ((X.mean(0, np.float64) - Y.mean(0, np.float64)) ** 2).sum()
    expected = shift + np.trace(a) + np.trace(b) - 2 * cross
    assert frechet_distance(moments(X), moments(Y)) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_given_gaussians():
    # diagonal covariances commute: |m|^2 + sum (s_a - s_b)^2
    a = Moments(100, np.zeros(3), 99 * np.diag([1.0, 4.0, 9.0]))
    b = Moments(50, np.array([1.0, 2.0, 2.0]), 49 * np.diag([4.0, 4.0, 1.0]))
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 0 + 4, rel=1e-12)
    assert frechet_distance(b, a) == pytest.approx(14, rel=1e-12)


def test_frechet_distance_does_not_see_a_rotation():
    turn = np.linalg.qr(RNG.normal(size=(12, 12)))[0]
    turned = frechet_distance(moments(X @ turn), moments(Y @ turn))
    assert turned == pytest.approx(frechet_distance(moments(X), moments(Y)), rel=1e-6)


@pytest.mark.peers
def test_frechet_distance_equals_torch_fidelity():
    fid = pytest.importorskip("torch_fidelity.metric_fid").fid_statistics_to_metric
    theirs = [{"mu": m.mean, "sigma": m.covariance} for m in (moments(X), moments(Y))]
    expected = fid(*theirs, False)["frechet_inception_distance"]
    assert frechet_distance(moments(X), moments(Y)) == pytest.approx(expected, rel=1e-5)


def test_the_bias_falls_as_one_over_n():
    """For one law the distance is about `c / n`: four times the examples, a quarter of it."""

    def null(n):
        draws = [moments(RNG.normal(size=(n, 8))) for _ in range(60)]
        return np.mean(
            [frechet_distance(a, b) for a, b in zip(draws[::2], draws[1::2], strict=True)]
        )

    few, some, many = null(200), null(800), null(3200)
    assert few / some == pytest.approx(4, rel=0.2)
    assert some / many == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize("shift, truth", [(0.0, 0.0), (0.5, 2.0)])
def test_without_bias_the_truth_is_within_its_error(shift, truth):
    """Two standard errors hold the truth about 19 times in 20, and the plain distance never."""
    found = []
    for i in range(20):
        x, y = RNG.normal(size=(2, 2000, 8))
        y = y + shift
        one = frechet_infinity(x, y, jax.random.fold_in(KEY, i))
        assert frechet_distance(moments(x), moments(y)) > one.distance and one.slope > 0
        found.append(one)
    distance, error = np.array([(one.distance, one.standard_error) for one in found]).T
    assert (np.abs(distance - truth) < 2 * error).sum() >= 15
    assert abs(distance.mean() - truth) < 3 * distance.std() / np.sqrt(20)
    # large for one law, as promised
    assert 0.6 < error.mean() / distance.std() < (1.6 if shift else 3.0)


def test_cubic_mmd_is_the_double_sum():
    x, y = X[:30].astype(np.float64), Y[:40].astype(np.float64)

    def k(a, b):
        return (sum(s * t for s, t in zip(a, b, strict=True)) / 12 + 1) ** 3

    def within(z):
        return np.mean([k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j])

    cross = np.mean([k(a, b) for a in x for b in y])
    assert cubic_mmd(x, y) == pytest.approx(within(x) + within(y) - 2 * cross, rel=1e-9)


@pytest.mark.peers
def test_kernel_distance_equals_torch_fidelity_on_the_same_subsets():
    torch = pytest.importorskip("torch")
    kid = pytest.importorskip("torch_fidelity.metric_kid").kid_features_to_metric
    settings = {"kid_subsets": 20, "kid_subset_size": 100, "verbose": False, "rng_seed": 3}
    theirs = kid(torch.tensor(X).double(), torch.tensor(Y).double(), **settings)
    random = np.random.RandomState(3)
    pairs = [
        (X[random.choice(400, 100, replace=False)], Y[random.choice(300, 100, replace=False)])
        for _ in range(20)
    ]
    ours = np.mean([cubic_mmd(a, b) for a, b in pairs])
    assert ours == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-5)


def test_kernel_distance_averages_subsets_without_bias():
    one = kernel_distance(X, Y, KEY, subsets=200)
    assert abs(one.mean - cubic_mmd(X, Y)) < 2 * one.standard_error
    assert one == kernel_distance(X, Y, KEY, subsets=200)
    assert one != kernel_distance(X, Y, jax.random.key(1), subsets=200)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_error_of_the_kernel_distance_is_its_spread(shift):
    found = []
    for i in range(60):
        x, y = RNG.normal(size=(2, 200, 4))
        found.append(kernel_distance(x, y + shift, jax.random.fold_in(KEY, i), 40))
    mean, error = np.array(found).T
    assert (
        0.7 < error.mean() / mean.std() < (1.4 if shift else 3.0)
    )  # large for one law, as promised
    assert shift or abs(mean.mean()) < 4 * mean.std() / np.sqrt(60)


def test_inception_score_at_its_ends():
    sure = 100.0 * np.eye(5)[np.arange(50) % 5]
    assert inception_score(sure, 1).mean == pytest.approx(5)
    assert inception_score(np.zeros((50, 5)), 1).mean == pytest.approx(1)
    assert inception_score(np.tile(sure[:1], (50, 1)), 10).mean == pytest.approx(1)
    # half of the mass on the class, the rest even over two: KL = log 3 - H(1/2, 1/4, 1/4)
    p = np.array([[2, 1, 1], [1, 2, 1], [1, 1, 2]]) / 4
    assert inception_score(np.log(p), 1).mean == pytest.approx(3 / 2**1.5)


@pytest.mark.peers
def test_inception_score_equals_torch_fidelity():
    torch = pytest.importorskip("torch")
    isc = pytest.importorskip("torch_fidelity.metric_isc").isc_features_to_metric
    logits = 3 * RNG.normal(size=(500, 10))
    theirs = isc(torch.tensor(logits), splits=10, shuffle=False)
    ours = inception_score(logits, 10)
    assert ours.mean == pytest.approx(theirs["inception_score_mean"], rel=1e-5)
    error = theirs["inception_score_std"] / np.sqrt(9)
    assert ours.standard_error == pytest.approx(error, rel=1e-5)


def test_errors():
    with pytest.raises(ValueError, match="no batch"):
        moments(iter(()))
    with pytest.raises(ValueError, match="no examples"):
        moments(X[:0])
    holed = X.copy()
    holed[[7, 8], 3] = np.inf
    with pytest.raises(ValueError, match="2 of 400 examples that are not finite, first at row 7"):
        moments(holed)
    with pytest.raises(ValueError, match="dimensions 12 and 11"):
        frechet_distance(moments(X), moments(Y[:, :11]))
    with pytest.raises(ValueError, match="dimensions 12 and 11"):
        merge(moments(X), moments(Y[:, :11]))
    with pytest.raises(ValueError, match="12 examples of dimension 12, wanted more than 12"):
        frechet_distance(moments(X), moments(Y[:12]))
    assert frechet_distance(moments(X), moments(Y[:12]), singular=True) > 0
    with pytest.raises(ValueError, match="got 1 examples"):
        frechet_distance(moments(X), moments(Y[:1]), singular=True)
    with pytest.raises(ValueError, match="wanted more than 12"):
        frechet_infinity(X[:50], Y[:50], KEY)
    with pytest.raises(ValueError, match="four examples"):
        kernel_distance(X[:3], Y, KEY)
    with pytest.raises(ValueError, match="5 splits"):
        inception_score(X[:4], 5)
