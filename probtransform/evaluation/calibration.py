"""Whether a classifier is right as often as it says: the expected calibration error."""

from __future__ import annotations

import numpy as np


def expected_calibration_error(probabilities, labels, bins: int = 15) -> float:
    """`sum_b n_b/n |accuracy_b - confidence_b|` over equal bins of confidence, the largest probability.

    `probabilities: [n, classes]`, `labels: [n]`; 0 is calibrated, 1 always wrong and sure of it. The absolute
    values do not cancel: of n examples even a calibrated classifier has some.

    Naeini et al. (2015), AAAI; Guo et al. (2017), arXiv:1706.04599 (15 bins).
    Raises ValueError for rows that are no probabilities, labels that are none, or no bins.
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels)
    if p.ndim != 2 or not len(p) or not (p >= 0).all() or (abs(p.sum(1) - 1) > 1e-3).any():
        raise ValueError(
            f"calibration: got probabilities of shape {p.shape}, wanted rows >= 0 that sum to 1; take a "
            "softmax of logits"
        )
    if y.shape != p.shape[:1] or (y < 0).any() or (y >= p.shape[1]).any():
        raise ValueError(
            f"calibration: got labels of shape {y.shape} for {len(p)} examples, wanted one of 0.."
            f"{p.shape[1] - 1} each; cut or map them"
        )
    if bins < 1:
        raise ValueError(f"calibration: got bins={bins}, wanted at least 1; 15 is usual")
    confidence, right = p.max(1), p.argmax(1) == y
    # a bin holds its upper end, as in the sources
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, right - confidence, minlength=bins)
    return float(abs(gaps).sum() / len(p))
