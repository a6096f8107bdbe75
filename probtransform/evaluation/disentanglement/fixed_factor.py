"""Scores by examples that share one factor: what stays the same in their codes should tell which.

`encode(factors [n, f]) -> codes [n, k]` renders and represents; of a whole grid of examples it is a look-up,
`lambda values: codes[np.ravel_multi_index(values.T, sizes)]`. `sizes` says how many values each factor has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import numpy as np


def beta_vae_score(
    encode: Callable,
    sizes: Sequence[int],
    key,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
) -> float:
    """Accuracy of naming the factor that `batch` pairs share from `mean |z - z'|` of their codes.

    The classifier is a logistic regression; of f factors, guessing gives 1/f.
    Higgins et al. (2017), ICLR.
    """
    from sklearn.linear_model import LogisticRegression  # a second to import

    random = generator(key)

    def points(count: int):
        which, first, second = pairs(random, sizes, count, batch)
        apart = abs(encoded(encode, first) - encoded(encode, second)).mean(1)
        return apart, which

    model = LogisticRegression().fit(*points(train))
    return float(model.score(*points(test)))


def factor_vae_score(
    encode: Callable,
    sizes: Sequence[int],
    key,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    least: float = 0.05,
) -> float:
    """Accuracy of naming the factor that `batch` examples share from the code that varies least among them.

    Variances are divided by those over 10,000 examples, codes whose deviation is below `least` left out; the
    classifier is a vote of the training points. 0 if no code is left. Kim & Mnih (2018), arXiv:1802.05983.
    """
    random = generator(key)
    overall = np.var(encode(random.integers(0, sizes, (10_000, len(sizes)))), axis=0, ddof=1)
    active = np.flatnonzero(np.sqrt(overall) >= least)
    if not len(active):
        return 0.0

    def votes(count: int):
        which, first = groups(random, sizes, count, batch)
        varied = np.var(encoded(encode, first), axis=1, ddof=1)[:, active] / overall[active]
        table = np.zeros((len(sizes), len(active)), int)
        np.add.at(table, (which, varied.argmin(1)), 1)
        return table

    named = votes(train).argmax(0)
    table = votes(test)
    return float(table[named, np.arange(len(active))].sum() / table.sum())


def generator(key) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def pairs(random, sizes, count: int, batch: int):
    """`which [count]`, and two sets of factors `[count, batch, f]` that agree in that one, pair by pair."""
    which = random.integers(len(sizes), size=count)
    first, second = random.integers(0, sizes, (2, count, batch, len(sizes)))
    second[np.arange(count), :, which] = first[np.arange(count), :, which]
    return which, first, second


def groups(random, sizes, count: int, batch: int):
    """`which [count]`, and factors `[count, batch, f]` of which that one is the same in a whole batch."""
    which = random.integers(len(sizes), size=count)
    factors = random.integers(0, sizes, (count, batch, len(sizes)))
    factors[np.arange(count), :, which] = factors[np.arange(count), :1, which]
    return which, factors


def encoded(encode: Callable, factors):
    """Codes `[count, batch, k]` of factors `[count, batch, f]`."""
    return np.asarray(encode(factors.reshape(-1, factors.shape[-1]))).reshape(
        *factors.shape[:-1], -1
    )
