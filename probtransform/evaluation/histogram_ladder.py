"""The ladder of any density on levels: from the histogram of each entry, moved by Gibbs sampling."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Distribution, Unnormalized
from ..distributions.tempered import Ladder
from ..integrate.gibbs import gibbs

MOST = 256  # levels of all entries: a sweep asks for the density at each


def histogram_ladder(distribution: Distribution[Unnormalized], key, near, levels: int) -> Ladder:
    """`f_b = h^(1-b) f^b`, h the product of the entries' histograms of `near: [n, *event]`, of `levels`.

    Every level has a share of h, that of one example. A move draws each entry anew, given the others. Raises
    ValueError for more than 256 levels in all entries together: `(64,)` of four, say.
    """
    near = np.asarray(near)
    shape, count = near.shape[1:], near[0].size * levels
    if count > MOST:
        raise ValueError(
            f"levels: got {levels} in each of {near[0].size} entries, wanted at most {MOST} in all: a "
            "density known up to a constant only is asked for at every level of every entry; make its "
            "claim Tempered, with a ladder of its own"
        )
    told = jax.nn.one_hot(near.reshape(len(near), -1), levels).sum(0) + 1.0
    log_share = jnp.log(told / told.sum(1, keepdims=True))
    sweep: Any = gibbs(levels)

    def known(x):
        return jnp.take_along_axis(log_share, x.reshape(-1, 1).astype(jnp.int32), 1).sum()

    def start(params, key, cond=None):
        return jax.random.categorical(key, log_share).reshape(shape).astype(near.dtype)

    def log_density(params, b, x, cond=None):
        return (1 - b) * known(x) + b * distribution.density.fn(params, key, x, cond)

    def move(params, key, b, x, cond=None):
        return sweep(key, x, lambda x: log_density(params, b, x, cond))[0]

    return Ladder(start, lambda params, cond=None: jnp.zeros(()), log_density, move)
