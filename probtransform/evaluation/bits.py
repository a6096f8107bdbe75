"""Bits per dimension: what a model's claim says of held-out data."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from ..core import Batch, Bound, Distribution, Exact, join, log_density_many
from ..core.check import positive
from .importance import log_weights


class Bits(NamedTuple):
    """Bits per dimension: the mean over examples, its standard error, and what kind of number it is.

    kind: `exact`, `bound` or `importance bound (K=..)`; a bound is from above here, `mean >= truth`.
    """

    mean: float
    standard_error: float
    kind: str


def bits_per_dim(
    distribution: Distribution[Bound],
    params,
    key,
    batch: Batch,
    samples: int = 1,
    chunk: int = 500,
) -> Bits:
    """`-log p(x) / (d ln 2)`, averaged over the examples `x: [batch, *event]` with `d = prod(event)`.

    Levels give the bits of a code, at least zero; reals give a density in units of their own, which
    may be negative. A bound is sharpened with `samples` importance weights; an exact claim needs one
    evaluation. `chunk` examples are in memory at once and do not change the result. The standard error
    is over examples, each with keys of its own, and so contains the noise of the bound.

    Raises ValueError if the distribution claims no bound on a normalised density.
    """
    return bits_and_bound(distribution, params, key, batch, samples, chunk)[0]


def bits_and_bound(
    distribution: Distribution[Bound],
    params,
    key,
    batch: Batch,
    samples: int = 1,
    chunk: int = 500,
) -> tuple[Bits, float | None]:
    """The same, and of a bound that is not exact the bits before sharpening, of all its evaluations."""
    density = distribution.density
    if not isinstance(density, Bound):
        raise ValueError(
            f"bits_per_dim: got a distribution that claims {claim_of(distribution)}, wanted Bound or "
            "Exact; compare such a model by its samples instead"
        )
    positive("bits_per_dim", samples=samples)
    many = 1 if isinstance(density, Exact) else samples
    weighted = distribution._replace(density=Bound(log_weights(density, many)))
    nats = log_density_many(weighted, params, key, batch.x, batch.cond, chunk)
    per_dim = math.prod(batch.x.shape[1:]) * math.log(2)
    each = -np.asarray(nats, np.float64).reshape(-1, many) / per_dim
    bits = -(logsumexp(-each * per_dim, axis=1) - math.log(many)) / per_dim
    spread = bits.std(ddof=1) / math.sqrt(len(bits)) if len(bits) > 1 else math.nan
    whole = Bits(float(bits.mean()), float(spread), kind_of(density, samples))
    return whole, None if isinstance(density, Exact) else float(each.mean())


def claim_of(distribution: Distribution) -> str:
    """The name of what a distribution claims: a class of `core.density`, or "None"."""
    if distribution.density is None:
        return "None"
    return join(type(distribution.density), Exact).__name__  # the claim, whatever else it knows


def kind_of(density: Bound, samples: int) -> str:
    if isinstance(density, Exact):
        return "exact"
    return "bound" if samples == 1 else f"importance bound (K={samples})"
