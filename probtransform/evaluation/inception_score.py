"""The inception score: samples that a classifier is sure of, and of all classes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, logsumexp

from .frechet import finite


class InceptionScore(NamedTuple):
    """The mean over splits and its standard error."""

    mean: float
    standard_error: float


def inception_score(logits, splits: int = 10) -> InceptionScore:
    """`exp E KL(p(y|x) || p(y))` of `logits: [n, classes]`, in [1, classes].

    `p(y)` is the mean of `p(y|x)` over a split; the splits are consecutive, so shuffle samples that come
    sorted. It rises with the size of a split, and says nothing of the data: compare at one n.

    Salimans et al. (2016), arXiv:1606.03498. Raises ValueError unless there is an example a split.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or not 1 <= splits <= len(logits):
        raise ValueError(
            f"inception_score: got logits of shape {logits.shape} and {splits} splits, wanted "
            "[n, classes] with n >= splits >= 1; pass a row of logits for each sample"
        )
    nats = log_softmax(finite("inception_score", logits), axis=1)
    scores = [_score(part) for part in np.array_split(nats, splits)]
    error = np.std(scores, ddof=1) / math.sqrt(splits) if splits > 1 else math.nan
    return InceptionScore(float(np.mean(scores)), float(error))


def _score(nats):
    marginal = logsumexp(nats, axis=0) - math.log(len(nats))
    return np.exp((np.exp(nats) * (nats - marginal)).sum(1).mean())
