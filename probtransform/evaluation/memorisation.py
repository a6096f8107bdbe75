"""Memorisation: samples that lie nearer to the training data than new data do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from .manifold import centred, distance_rows


class Memorisation(NamedTuple):
    """How near samples are to the training data, against held-out data.

    ratio: the median over samples of `ratios`; about 1 for new samples, 0 for copies.
    closer: chance that a sample is nearer than a held-out example, ties halved; 0.5 for new samples.
    copies: share of samples nearer than the nearest hundredth of held-out data; 0.01 for new samples.
    p_value: of `closer` or more if samples are as far as held-out data.
    authentic: the `authenticity` of the samples.
    ratios: of each sample, the distance to its nearest training example over the median of held-out data.
    """

    ratio: float
    closer: float
    copies: float
    p_value: float
    authentic: float
    ratios: np.ndarray


def memorisation(samples, training, held_out) -> Memorisation:
    """Whether `samples: [n, *event]` repeat `training: [m, *event]`, judged by `held_out: [l, *event]`.

    Compares the distances `min_t |s - t|` of samples with `min_t |h - t|` of held-out examples, to one
    and the same training set. The test is that of Mann & Whitney. Samples that are nearer may be
    copies, or just too tame: look at `copies` and at the pairs themselves.

    Meehan et al. (2020), arXiv:2004.05675; authenticity of Alaa et al. (2022), arXiv:2102.08921. Raises
    ValueError unless all are finite reals of one shape, and most of `held_out` is not in `training`.
    """
    sampled, authentic = _distances("memorisation", samples, training)
    new, _ = _distances("memorisation", held_out, training)
    usual = np.median(new)
    if usual == 0:
        raise ValueError(
            "memorisation: got held-out examples most of which are training examples too, "
            "wanted other ones; split the data first and drop duplicates"
        )
    # the statistic counts pairs in which the held-out example is farther
    test = mannwhitneyu(new, sampled, alternative="greater")
    closer = test.statistic / (len(new) * len(sampled))
    copies = (sampled < np.quantile(new, 0.01)).mean()
    ratios = sampled / usual
    ratio, closer, copies, p_value = map(float, (np.median(ratios), closer, copies, test.pvalue))
    return Memorisation(ratio, closer, copies, p_value, float(authentic), ratios)


def authenticity(samples, training) -> float:
    """The share of samples farther from their nearest training example than that one is from the others.

    In [0, 1]: 0 for copies; about a half for new samples, less or more with the dimension, so compare
    with that of held-out data.

    Alaa et al. (2022), arXiv:2102.08921. Raises ValueError unless both are finite reals of one shape.
    """
    return float(_distances("authenticity", samples, training)[1])


def _distances(who, samples, training):
    """Of each sample to its nearest training example, and the share that `authenticity` is."""
    x, y = centred(who, samples, training)
    nearest, distance = _nearest(x, y)
    asked, which = np.unique(nearest, return_inverse=True)
    among = _nearest(y[asked], y, asked)[1][which]
    return distance, (distance > among).mean()


def _nearest(x, y, own=None):
    """The nearest of y to each of x and its distance, which is exact: zero for a copy.

    Looked for in single precision. If x are the rows `own` of y, each is asked for its nearest other.
    """
    nearest = np.empty(len(x), int)
    for rows, distance in distance_rows(x.astype(np.float32), y.astype(np.float32)):
        if own is not None:
            distance[np.arange(len(distance)), own[rows]] = np.inf
        nearest[rows] = distance.argmin(1)
    return nearest, np.linalg.norm(x - y[nearest], axis=1)
