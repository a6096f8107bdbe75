"""What features know of labels that they were not told: a linear probe, and the nearest neighbours."""

from __future__ import annotations

import numpy as np

from ..core.check import positive


def linear_probe(
    known, labels, features, wanted, strength: float = 1.0, steps: int = 1000
) -> float:
    """The accuracy in [0, 1] on `features: [m, k]` of logistic regression on `known: [n, k]`.

    The encoder stays as it is; each feature is scaled by its deviation among the known, and the penalty is
    `|W|^2 / (2 strength)` beside the sum over examples. Alain & Bengio (2016), arXiv:1610.01644.
    Raises ValueError unless both are finite rows of one length, with a label each.
    """
    from sklearn.linear_model import LogisticRegression

    known, labels = rows("linear_probe", known, labels)
    features, wanted = rows("linear_probe", features, wanted, known.shape[1])
    mean, scale = known.mean(0), np.maximum(known.std(0), 1e-6)
    regression = LogisticRegression(C=strength, max_iter=steps)
    regression.fit((known - mean) / scale, labels)
    return float(regression.score((features - mean) / scale, wanted))


def neighbour_accuracy(
    known, labels, features, wanted, count: int = 20, chunk: int = 1000
) -> float:
    """The accuracy in [0, 1] where each of `features: [m, k]` takes the label of most of its neighbours.

    Neighbours are the `count` of `known: [n, k]` with the greatest cosine; of labels that tie, the least.
    Wu et al. (2018), arXiv:1805.01978. Raises ValueError as `linear_probe` does, or without a neighbour.
    """
    known, labels = rows("neighbour_accuracy", known, labels)
    features, wanted = rows("neighbour_accuracy", features, wanted, known.shape[1])
    positive("neighbour_accuracy", count=count, chunk=chunk)
    known, features = (
        x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-12) for x in (known, features)
    )
    names, numbers = np.unique(labels, return_inverse=True)
    right = 0
    for start in range(0, len(features), chunk):
        part = slice(start, start + chunk)
        similar = features[part] @ known.T
        near = np.argpartition(-similar, min(count, len(known)) - 1, 1)[:, :count]
        votes = (numbers[near][..., None] == np.arange(len(names))).sum(1)
        right += int((names[votes.argmax(1)] == wanted[part]).sum())
    return right / len(features)


def rows(who: str, features, labels, width: int | None = None):
    """Both as numpy arrays, features in single precision, or a ValueError that says what is wrong."""
    features, labels = np.asarray(features, np.float32), np.asarray(labels)
    fits = features.ndim == 2 and len(features) and width in (None, features.shape[-1])
    if not fits or labels.shape != features.shape[:1]:
        raise ValueError(
            f"{who}: got features of shape {features.shape} and labels of shape {labels.shape}, wanted "
            f"[n, {width or 'k'}] and [n] with n >= 1; pass a row and a label for each example"
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"{who}: got features that are not finite, wanted reals; look at the encoder"
        )
    return features, labels
