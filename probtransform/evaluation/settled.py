"""A bound up to a constant becomes a bound: the constant is annealed, and taken at its upper end."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..core import Bound, Distribution
from ..distributions.tempered import TemperedBound
from .interval import climbed, is_labels, outward


def settled(
    distribution: Distribution[TemperedBound],
    params,
    key,
    cond=None,
    chains: int = 100,
    temperatures: int = 500,
) -> Distribution[Bound]:
    """`E[fn] - log Z <= log p(x)` with log Z of those parameters from above, two standard errors further out.

    `cond: i32[batch]` are the labels that will be asked for; each that occurs has a constant of its own.
    For the end to hold, draws of the law whose constant it is must be exact; they are as good as its chains.

    Example: a `dbm` of more than 20 hidden units claims a bound up to the constant of its pairs. Burda et
    al. (2015), arXiv:1412.8566. Raises ValueError for conditions that are no labels, or a density that is not
    finite on the chains.
    """
    claim, labels = distribution.density, None
    if cond is not None:
        if not is_labels(cond):
            raise ValueError(
                "settled: got a condition with a bound up to a constant, wanted a label for each example or "
                "none; leave the condition out"
            )
        labels = np.unique(cond)
    law = distribution._replace(sample=claim.end)
    found = climbed(law, claim.ladder, params, key, labels, chains, temperatures)
    _, above = outward(found)
    if not np.isfinite(above).all():
        raise ValueError(
            "settled: got a density that is not finite where the chains are, wanted a finite one; train it "
            "again"
        )

    def log_density(params, key, x, cond=None):
        log_z = above if labels is None else jnp.asarray(above)[jnp.searchsorted(labels, cond)]
        return claim.fn(params, key, x, cond) - log_z

    return Distribution(distribution.init, distribution.sample, Bound(log_density))
