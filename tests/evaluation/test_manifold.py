"""Precision, recall and modes against brute force, prdc, and samplers that drop or invent."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from probtransform.evaluation import manifold
from probtransform.evaluation.manifold import precision_recall
from probtransform.evaluation.modes import modes_covered, modes_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)).astype(np.float32)
Y = (1.2 * RNG.normal(size=(250, 6)) + 0.3).astype(np.float32)
CENTRES = 4 * np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])


def brute(x, y, k):
    """Word by word: each ball by sorting, each share by counting."""
    near = lambda z: np.sort(cdist(z, z), axis=1)[:, k]  # noqa: E731  place 0 is itself
    inside_x, inside_y = cdist(x, y) < near(x)[:, None], cdist(x, y) < near(y)
    return (
        inside_x.any(0).mean(),
        inside_y.any(1).mean(),
        inside_x.sum(0).mean() / k,
        inside_x.any(1).mean(),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_shares_are_those_of_brute_force(k):
    assert precision_recall(X, Y, k) == pytest.approx(brute(X, Y, k), abs=1e-12)


def test_blocks_do_not_matter(monkeypatch):
    whole = precision_recall(X, Y)
    monkeypatch.setattr(manifold, "ROWS", 7)
    assert precision_recall(X, Y) == whole


@pytest.mark.peers
@pytest.mark.parametrize("k", [1, 3, 5])
def test_shares_equal_prdc(k):
    compute_prdc = pytest.importorskip("prdc").compute_prdc
    assert precision_recall(X, Y, k)._asdict() == compute_prdc(X, Y, nearest_k=k)


def test_one_law_has_the_promised_shares():
    k, n = 3, 1500
    draws = [precision_recall(*RNG.normal(size=(2, n, 2)), k) for _ in range(5)]
    found = np.mean(draws, axis=0)
    assert found[2] == pytest.approx(1, abs=0.03)
    assert found[3] == pytest.approx(1 - 2.0**-k, abs=0.02)


def mixture(n, modes=(0, 1, 2, 3)):
    return CENTRES[RNG.choice(modes, n)] + 0.3 * RNG.normal(size=(n, 2))


def test_a_sampler_that_drops_modes_has_precision_and_no_recall():
    dropped = precision_recall(mixture(800), mixture(800, (0, 1)), 3)
    assert dropped.precision > 0.9
    assert dropped.recall < 0.6 and dropped.coverage < 0.6
    invented = precision_recall(mixture(800, (0, 1)), mixture(800), 3)
    assert invented.precision < 0.6 and invented.recall > 0.9


def test_far_from_the_origin_neighbours_stay_neighbours():
    x, y = X.round(2) + np.float32(512), Y.round(2) + np.float32(512)
    assert precision_recall(x, y) == pytest.approx(
        brute(np.float64(x), np.float64(y), 5), abs=1e-12
    )


def test_modes_and_their_shares():
    even = modes_covered(mixture(4000), CENTRES, radius=1.5, least=0.025)
    assert even.covered == 4 and even.near > 0.999 and even.kl < 2e-3
    half = modes_covered(mixture(4000, (0, 1)), CENTRES, radius=1.5, least=0.025)
    assert half.covered == 2 and half.kl == pytest.approx(np.log(2), abs=2e-3)
    # a Gaussian of spread s in the plane stays within r with probability 1 - exp(-r^2 / 2 s^2)
    close = modes_covered(mixture(20_000), CENTRES, radius=0.3, least=0.025)
    assert close.near == pytest.approx(1 - np.exp(-0.5), abs=0.015)


def test_modes_of_counts_by_hand():
    found = modes_of([6, 2, 0], least=0.25, weights=[1, 1, 2], total=10)
    expected = 0.75 * np.log(0.75 / 0.25) + 0.25 * np.log(0.25 / 0.25)
    assert found.covered == 1 and found.near == 0.8
    assert found.kl == pytest.approx(expected)
    assert modes_of([6, 2, 0], least=0.25).covered == 2
    assert modes_of([0, 0], least=0.1) == (0, 0, np.inf)


def test_errors():
    with pytest.raises(ValueError, match="k=250 and 300 and 250"):
        precision_recall(X, Y, 250)
    with pytest.raises(ValueError, match="two or more examples of one shape"):
        precision_recall(X, Y[:, :3])
    with pytest.raises(ValueError, match="not finite"):
        precision_recall(X, Y * np.float32(np.nan))
    with pytest.raises(ValueError, match="examples of one shape"):
        modes_covered(X, CENTRES, 1.0, 0.1)
    with pytest.raises(ValueError, match="radius"):
        modes_covered(mixture(5), CENTRES, 0.0, 0.1)
    with pytest.raises(ValueError, match="positive weight"):
        modes_of([1, 2], 0.1, weights=[1, 0])
