"""All numbers of one model, beside what real data would score, and why the others are not asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Bound, Event, Model, Unnormalized, sample_many
from ..distributions.tempered import TemperedBound
from ..features import Extractor, features_of
from .bits import bits_and_bound, claim_of
from .distances import bandwidths, mmd, sliced_wasserstein
from .energy_distance import energy_distance
from .frechet import frechet_distance, moments
from .inception_score import InceptionScore, inception_score
from .interval import bits_interval
from .kernel_distance import KernelDistance, kernel_distance
from .manifold import precision_recall
from .memorisation import memorisation
from .settled import settled
from .transport import wasserstein
from .two_sample import classifier_two_sample

COUNT = 2000  # examples in a distance, unless told


def evaluate(
    model: Model,
    params,
    event: Event,
    train: Batch,
    test: Batch,
    key,
    samples: int = 64,
    chunk: int = 500,
    extractor: Extractor | None = None,
    count: int = COUNT,
    floor: dict[str, float] | None = None,
) -> dict[str, Any]:
    """What a model claims of held-out data, and how far its samples are from them.

    claim:              the class of the model's density, or "None".
    bits_per_dim:       on all of `test`, with `bits_per_dim_se` and `bits_per_dim_kind`; None without
                        a bound. A bound is sharpened with `samples` importance weights (1 for
                        none: choose it where one evaluation is dear, as of an ODE's density).
                        Up to a constant, the middle of an interval, with its ends `bits_per_dim_low`
                        and `bits_per_dim_high`, both sides annealed; of a bound up to one with a
                        ladder, a bound.
    bound_bits_per_dim: the same before sharpening; None of any other claim.
    count:              examples in each sample that a distance compares: as asked, or as many as the
                        smaller half has, the first ones: shuffled halves are expected.
    not_asked:          `{metric: why}` of those that this model, these data or these samples rule out.

    Between `count` samples and the first of `test`, levels scaled to [-1, 1]; with conditions, samples
    are drawn under those of `test`:

    mmd, mmd_squared:   the distance of the two samples themselves, and the unbiased estimate of its square.
    sliced_wasserstein, wasserstein, energy_distance: in the units of the data, the last squared.
    two_sample:         accuracy of 100 random trees in telling samples from data, 0.5 at best.
    precision, recall, density, coverage: shares of samples like data, and of data reached.
    authenticity, nearest_ratio: low where samples repeat examples of `train`.
    FD-, KD- and the name of the `extractor`: Fréchet and kernel distance in its features, of examples
                        as a screen shows them, cut to [-1, 1]; and inception_score, where it classifies.

    Each has a `_floor` beside it, what `floors` finds of the same data; pass it if it is known already.
    """
    draw, code = jax.random.split(key)
    drawn = drawn_beside(test, model, params, draw, min(len(train.x), count), chunk)
    count = len(drawn)
    fake = as_reals(drawn, event)
    numbers, not_asked = likelihoods(
        model, params, event, test, code, samples, chunk, train.x, drawn
    )
    numbers["count"] = count
    if broken := int((~np.isfinite(fake).reshape(count, -1).all(1)).sum()):
        why = f"{broken} of {count} samples are not finite; train it again, more slowly"
        return numbers | {"not_asked": not_asked | {"samples": why}}
    seen, why_not = between(drawn, test.x[:count], train.x, event, extractor)
    if floor is None:
        floor = floors(event, train, test, extractor, count)
    beside = {f"{name}_floor": floor[name] for name in seen if name in floor}
    return numbers | seen | beside | {"not_asked": not_asked | why_not}


def drawn_beside(test: Batch, model: Model, params, key, count: int = COUNT, chunk: int = 500):
    """As many samples as `test` has examples, `count` at most, each under the condition of its example."""
    count = min(len(test.x), count)
    cond = jax.tree.map(lambda c: c[:count], test.cond)
    return sample_many(model.distribution, params, key, count, cond, chunk)


def floors(
    event: Event,
    train: Batch,
    test: Batch,
    extractor: Extractor | None = None,
    count: int = COUNT,
) -> dict[str, float]:
    """What a perfect model would score: the distances of the first `count` of `train` to those of `test`.

    Those metrics that tell whether `train` is repeated are of `test` itself.
    """
    count = min(len(train.x), len(test.x), count)
    real = test.x[:count]
    numbers, _ = between(train.x[:count], real, train.x, event, extractor, held_out=real)
    return {name: number for name, number in numbers.items() if not name.endswith("_se")}


def between(drawn, wanted, known, event: Event, extractor: Extractor | None, held_out=None):
    """Every number of how `drawn` lie to `wanted`, and of whether they (or `held_out`) repeat `known`.

    Returns `(numbers, not_asked)`. What is random in a metric is the same for all that are judged.
    """
    x, y, near = (as_reals(z, event) for z in (drawn, wanted, known))
    asked = x if held_out is None else as_reals(held_out, event)
    key = jax.random.key(0)
    fd = extractor.name if extractor else "FD"
    kd = fd.replace("FD", "KD", 1)

    @cache
    def features():
        return [seen_by(extractor, z, event) for z in (drawn, wanted)]

    def frechet():
        (a, _), (b, _) = features()
        return {fd: frechet_distance(moments(a), moments(b))}

    measures: dict[str, Callable[[], dict[str, float]]] = {
        "mmd": lambda: distances(x, y, key, bandwidths(near[: len(y)], y)),
        "precision": lambda: precision_recall(y, x)._asdict(),
        "authenticity": lambda: repeats(asked, near, y),
        fd: frechet,
        kd: lambda: named(kd, kernel_distance(features()[0][0], features()[1][0], key)),
        "inception_score": lambda: named("inception_score", confidence(features()[0][1])),
    }
    numbers: dict[str, float] = {}
    not_asked: dict[str, str] = {}
    for name, measure in measures.items():
        try:
            numbers |= measure()
        except ValueError as why:  # which says in a sentence what these data do not allow
            not_asked[name] = str(why)
    return numbers, not_asked


def likelihoods(model, params, event, test, code, samples, chunk, near, drawn):
    """Bits per dimension as far as the claim goes, and why no further."""
    distribution, claim = model.distribution, claim_of(model.distribution)
    names = ("bits_per_dim", "bits_per_dim_se", "bits_per_dim_kind")
    none: dict[str, Any] = {"claim": claim, **dict.fromkeys(names), "bound_bits_per_dim": None}
    annealed = isinstance(distribution.density, TemperedBound)
    if annealed:
        climb, code = jax.random.split(code)
        try:
            distribution = settled(distribution, params, climb, test.cond)
        except ValueError as why:
            return none, {"bits_per_dim": str(why)}
    if isinstance(distribution.density, Bound):
        bits, bound = bits_and_bound(distribution, params, code, test, samples, chunk)
        if annealed:
            bits = bits._replace(kind=f"{bits.kind}, annealed")
        return none | dict(zip(names, bits, strict=True)) | {"bound_bits_per_dim": bound}, {}
    if not isinstance(distribution.density, Unnormalized):
        known = "the bound is known up to a constant only"
        if distribution.density is None:
            known = "the model claims nothing of its density"
        return none, {"bits_per_dim": known}
    try:
        near = near[: len(drawn)]
        found = bits_interval(distribution, params, code, test, near, drawn, levels=event.levels)
    except ValueError as why:
        return none, {"bits_per_dim": str(why)}
    middle, kind = (found.low + found.high) / 2, "interval (annealed)"
    ends = {"bits_per_dim_low": found.low, "bits_per_dim_high": found.high}
    return none | dict(zip(names, (middle, found.standard_error, kind), strict=True)) | ends, {}


def distances(x, real, key, width) -> dict[str, float]:
    from sklearn.ensemble import ExtraTreesClassifier  # slow to import, quick to ask

    trees = ExtraTreesClassifier(100, min_samples_leaf=2, random_state=0)
    told = classifier_two_sample(x, real, key, trees, min(3, len(real)))
    return {
        "mmd": float(mmd(x, real, width, biased=True)) ** 0.5,
        "mmd_squared": float(mmd(x, real, width)),
        "sliced_wasserstein": float(sliced_wasserstein(x, real, key)),
        "wasserstein": wasserstein(x, real),
        "energy_distance": energy_distance(x, real),
        "two_sample": told.accuracy,
        "two_sample_se": (told.high - told.low) / 2 / 1.96,
    }


def repeats(x, known, new) -> dict[str, float]:
    """How far x are from the examples that were trained on, in the measure of new ones."""
    found = memorisation(x, known, new)
    return {"authenticity": found.authentic, "nearest_ratio": found.ratio}


def seen_by(extractor: Extractor | None, x, event: Event):
    """Features and logits of examples: levels as brightness from -1 to 1, reals cut to it as on a screen.

    Raises ValueError if there is no extractor, or it does not take such examples.
    """
    if extractor is None:
        raise ValueError("no extractor of features is known for these data; name one")
    x = np.asarray(x, np.float32)
    light = x if event.levels is None else 2 * x / max(event.levels - 1, 1) - 1
    return features_of(extractor, np.clip(light, -1, 1))


def confidence(logits) -> InceptionScore:
    if logits is None:
        raise ValueError("the extractor has features but no classes; name one that classifies")
    return inception_score(logits)


def named(name: str, found: KernelDistance | InceptionScore) -> dict[str, float]:
    return {name: found.mean, f"{name}_se": found.standard_error}


def as_reals(x, event: Event):
    """Levels `0 .. K-1` as the middles of the K equal cells of [-1, 1]; reals as they are."""
    return x if event.levels is None else 2 * (jnp.asarray(x, jnp.float32) + 0.5) / event.levels - 1
