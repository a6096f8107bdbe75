"""The classifier two-sample test against scikit-learn by hand, its level, and its power."""

import jax
import numpy as np
import pytest
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from probtransform.evaluation.two_sample import classifier_two_sample

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def test_accuracy_is_that_of_scikit_learn_by_hand():
    """A logistic regression of all examples but those of a fold hardly hears of their order."""
    x, y = RNG.normal(size=(2, 400, 3)).astype(np.float32)
    y += 0.6
    found = classifier_two_sample(x, y, KEY, LogisticRegression())
    pooled, label = np.concatenate([x, y]), np.repeat([0, 1], 400)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    guess = cross_val_predict(LogisticRegression(), pooled, label, cv=folds)
    assert found.accuracy == pytest.approx((guess == label).mean(), abs=0.01)
    # the best rule cuts half way along the shift
    assert found.low < 0.6977 < found.high  # Phi(0.3 sqrt 3)


def test_interval_and_p_value_are_wilsons_and_the_binomials():
    x, y = RNG.normal(size=(2, 100, 2))
    found = classifier_two_sample(x, y + 0.4, KEY, KNeighborsClassifier())
    n, p, z = 200, found.accuracy, 1.959963985
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert found.low == pytest.approx((middle - half) / (1 + z**2 / n))
    assert found.high == pytest.approx((middle + half) / (1 + z**2 / n))
    assert found.p_value == pytest.approx(binom.sf(round(p * n) - 1, n, 0.5))


def test_laws_apart_are_told_apart_and_near_ones_are_not():
    x = RNG.normal(size=(300, 2))
    apart = classifier_two_sample(x, x[:200] + 6, KEY)
    assert apart.accuracy > 0.99 and apart.p_value < 1e-50
    # a ring about a disc: same mean, so that a line could not tell
    ring = 4 * x / np.linalg.norm(x, axis=1, keepdims=True)
    assert classifier_two_sample(x, ring, KEY).accuracy > 0.9


def test_one_law_is_within_the_interval_about_as_often_as_promised():
    """95% of 60 are 57; folds share their training data, which costs a little."""
    found = [
        classifier_two_sample(*RNG.normal(size=(2, 150, 2)), KEY, KNeighborsClassifier(15))
        for _ in range(60)
    ]
    inside = sum(one.low <= 0.5 <= one.high for one in found)
    assert inside >= 52
    assert sum(one.p_value < 0.05 for one in found) <= 8
    assert np.mean([one.accuracy for one in found]) == pytest.approx(0.5, abs=0.015)


def test_one_law_for_the_default():
    found = [classifier_two_sample(*RNG.normal(size=(2, 150, 2)), KEY) for _ in range(60)]
    assert sum(one.low <= 0.5 <= one.high for one in found) >= 52


def test_the_order_of_the_samples_and_their_sizes_do_not_matter():
    x = np.sort(RNG.normal(size=(2, 250, 1)), axis=1)
    assert 0.4 < classifier_two_sample(x[0], x[1], KEY).accuracy < 0.6
    # 400 against 100 of one law: a rule that names the larger would be right four times in five
    draws = RNG.normal(size=(500, 2))
    assert classifier_two_sample(draws[:400], draws[400:], KEY).accuracy < 0.62


def test_errors():
    x = RNG.normal(size=(10, 2))
    with pytest.raises(ValueError, match="5 folds and 4 examples"):
        classifier_two_sample(x, x[:4], KEY)
    with pytest.raises(ValueError, match="two or more examples of one shape"):
        classifier_two_sample(x, x[:, :1], KEY)
    with pytest.raises(ValueError, match="not finite"):
        classifier_two_sample(x, x * np.nan, KEY)
