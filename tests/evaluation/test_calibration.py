"""The calibration error by hand, against scikit-learn's curve, and of classifiers whose error is known."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from probtransform.evaluation import expected_calibration_error


def test_two_bins_by_hand():
    """Three at 0.6, of which one is right: a gap of 0.8; one at 0.9, right: 0.1. In one bin they cancel."""
    p = np.array([[0.6, 0.4], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    for bins, gap in ((5, 0.8 + 0.1), (2, 0.8 - 0.1)):
        assert abs(expected_calibration_error(p, [0, 1, 0, 1], bins) - gap / 4) < 1e-9


def test_the_last_two_bins_are_two():
    """One at 0.85 is wrong, one at 0.95 right: in one bin the gaps would cancel in part."""
    p = np.array([[0.85, 0.15], [0.05, 0.95]])
    assert abs(expected_calibration_error(p, [1, 1], 10) - (0.85 + 0.05) / 2) < 1e-9


def test_it_is_the_area_of_the_curve_of_another_library():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(4, 0.5), 3000)
    y = rng.integers(0, 4, 3000)
    right, confidence = p.argmax(1) == y, p.max(1)
    for bins in (10, 15):
        share, sure = calibration_curve(right, confidence, n_bins=bins)
        counts = np.histogram(confidence, np.linspace(0, 1, bins + 1))[0]
        wanted = counts[counts > 0] @ abs(share - sure) / 3000
        assert abs(expected_calibration_error(p, y, bins) - wanted) < 1e-9


def test_what_is_drawn_from_its_own_probabilities_is_calibrated():
    """And what is sharpened is not; what is sure and wrong is as far off as can be."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(3), 50_000)
    y = (rng.random((50_000, 1)) > p.cumsum(1)).sum(1)
    sharp = p**3 / (p**3).sum(1, keepdims=True)
    assert expected_calibration_error(p, y) < 0.01 < 0.1 < expected_calibration_error(sharp, y)
    assert expected_calibration_error(np.eye(3), [1, 2, 0]) == 1


@pytest.mark.parametrize(
    "p, y, bins, told",
    [
        (np.ones((2, 3)), [0, 1], 15, "softmax"),
        (np.eye(3), [0, 1], 15, "3 examples"),
        (np.eye(3), [0, 1, 3], 15, r"0\.\.2"),
        (np.eye(3), [0, 1, 2], 0, "bins=0"),
    ],
)
def test_what_is_no_classification_is_refused(p, y, bins, told):
    with pytest.raises(ValueError, match=told):
        expected_calibration_error(p, y, bins)
