"""All numbers of one model, beside what real data would score."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..core import Batch, Bound, Event, Model, sample_many
from .bits import bits_per_dim, claim_of
from .distances import bandwidths, mmd, sliced_wasserstein

COUNT = 2000  # examples in a distance, at most


def evaluate(
    model: Model,
    params,
    event: Event,
    train: Batch,
    test: Batch,
    key,
    samples: int = 64,
    chunk: int = 500,
) -> dict[str, Any]:
    """What a model claims of held-out data, and how far its samples are from them.

    claim:              the class of the model's density, or "None".
    bits_per_dim:       on all of `test`, with `bits_per_dim_se` and `bits_per_dim_kind`; None without
                        a bound. A bound is sharpened with `samples` importance weights (1 for
                        none: choose it where one evaluation is dear, as of an ODE's density).
    bound_bits_per_dim: the same before sharpening; None unless the claim is Bound.
    mmd, sliced_wasserstein: between samples and `test`, levels scaled to [-1, 1]; with conditions,
                        the samples are drawn under those of `test`. The mmd is the distance of the
                        two samples, the root of the biased estimate.
    mmd_squared:        the unbiased estimate of its square, zero in expectation for a perfect model.
    mmd_floor, mmd_squared_floor, sliced_wasserstein_floor: the same between `train` and `test`: what a
                        perfect model scores.

    All distances take the same count of examples, 2,000 or as many as the smaller half has, the first
    ones: shuffled halves are expected. One kernel, of `train` and `test`, serves model and floor.
    Raises ValueError as `bits_per_dim` and the distances do.
    """
    draw, code, again, slices = jax.random.split(key, 4)
    count = min(len(train.x), len(test.x), COUNT)
    near, real = (as_reals(half.x[:count], event) for half in (train, test))
    cond = jax.tree.map(lambda c: c[:count], test.cond)
    fake = as_reals(sample_many(model.distribution, params, draw, count, cond, chunk), event)
    width = bandwidths(near, real)
    return likelihoods(model, params, test, code, again, samples, chunk) | {
        "mmd": float(mmd(fake, real, width, biased=True)) ** 0.5,
        "mmd_floor": float(mmd(near, real, width, biased=True)) ** 0.5,
        "mmd_squared": float(mmd(fake, real, width)),
        "mmd_squared_floor": float(mmd(near, real, width)),
        "sliced_wasserstein": float(sliced_wasserstein(fake, real, slices)),
        "sliced_wasserstein_floor": float(sliced_wasserstein(near, real, slices)),
    }


def likelihoods(model, params, test, code, again, samples, chunk) -> dict[str, Any]:
    claim = claim_of(model.distribution)
    names = ("bits_per_dim", "bits_per_dim_se", "bits_per_dim_kind")
    if not isinstance(model.distribution.density, Bound):
        return {"claim": claim, **dict.fromkeys(names), "bound_bits_per_dim": None}
    bits = bits_per_dim(model.distribution, params, code, test, samples, chunk)
    plain = None
    if claim == "Bound":
        plain = bits
        if samples > 1:
            plain = bits_per_dim(model.distribution, params, again, test, 1, chunk)
    return {
        "claim": claim,
        **dict(zip(names, bits, strict=True)),
        "bound_bits_per_dim": plain and plain.mean,
    }


def as_reals(x, event: Event):
    """Levels `0 .. K-1` as the middles of the K equal cells of [-1, 1]; reals as they are."""
    return x if event.levels is None else 2 * (jnp.asarray(x, jnp.float32) + 0.5) / event.levels - 1
