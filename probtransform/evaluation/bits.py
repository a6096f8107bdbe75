"""Bits per dimension: what a model's claim says of held-out data."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core import Batch, Bound, Distribution, Exact, log_density_many
from .importance import importance


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
    if not isinstance(distribution.density, Bound):
        raise ValueError(
            f"bits_per_dim: got a distribution that claims {claim_of(distribution)}, wanted Bound or "
            "Exact; compare such a model by its samples instead"
        )
    sharp = distribution._replace(density=importance(distribution.density, samples))
    nats = log_density_many(sharp, params, key, batch.x, batch.cond, chunk)
    bits = -np.asarray(nats, np.float64) / (math.prod(batch.x.shape[1:]) * math.log(2))
    spread = bits.std(ddof=1) / math.sqrt(len(bits)) if len(bits) > 1 else math.nan
    return Bits(float(bits.mean()), float(spread), kind_of(distribution.density, samples))


def claim_of(distribution: Distribution) -> str:
    """The name of what a distribution claims: a class of `core.density`, or "None"."""
    return "None" if distribution.density is None else type(distribution.density).__name__


def kind_of(density: Bound, samples: int) -> str:
    if isinstance(density, Exact):
        return "exact"
    return "bound" if samples == 1 else f"importance bound (K={samples})"
