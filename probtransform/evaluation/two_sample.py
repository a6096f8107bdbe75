"""The classifier two-sample test: two laws differ as far as a classifier can tell their samples apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import numpy as np
from scipy.stats import binomtest

from .distances import flat
from .frechet import finite


class TwoSample(NamedTuple):
    """Accuracy on examples that the classifier has not seen, its 95% interval, and a p-value.

    About 0.5 for one law, 1 for laws apart; `p_value` is that of so many right answers by guessing.
    """

    accuracy: float
    low: float
    high: float
    p_value: float


def classifier_two_sample(x, y, key, classifier=None, folds: int = 5) -> TwoSample:
    """How well a classifier tells `x: [n, *event]` from `y: [m, *event]`.

    `min(n, m)` random examples of each are cut into stratified folds; each fold is judged by a classifier
    trained on the others. Wilson's interval and the binomial test, of guessing against better. Any
    classifier of scikit-learn will do; by default the vote of the sqrt(2 n) nearest neighbours, which tells
    any two laws apart in the end, but late in many dimensions: then train a stronger one on features.

    Lopez-Paz & Oquab (2017), arXiv:1610.06545. Raises ValueError for fewer examples than folds.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # a second to import
    from sklearn.neighbors import KNeighborsClassifier

    x, y = (finite("classifier_two_sample", z) for z in flat("classifier_two_sample", x, y))
    n = min(len(x), len(y))
    if not 2 <= folds <= n:
        raise ValueError(
            f"classifier_two_sample: got {folds} folds and {n} examples, wanted 2 <= folds <= examples; "
            "pass more examples"
        )
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    pooled = np.concatenate([random.permutation(z)[:n] for z in (x, y)])
    label = np.repeat([0, 1], n)
    if classifier is None:
        classifier = KNeighborsClassifier(math.isqrt(2 * n) | 1)  # odd, so that no vote is a tie
    split = StratifiedKFold(folds)  # the examples are shuffled already
    guess = cross_val_predict(classifier, pooled, label, cv=split)
    test = binomtest(int((guess == label).sum()), 2 * n, alternative="greater")
    interval = binomtest(test.k, 2 * n).proportion_ci(method="wilson")
    return TwoSample(
        float(test.statistic), float(interval.low), float(interval.high), float(test.pvalue)
    )
