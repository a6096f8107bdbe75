"""Distances between two samples, for models that make no claim on a density and for all others."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.distance import pdist

from ..objectives.divergences.wasserstein import sliced_wasserstein as squared_sliced

MULTIPLES = (0.25, 0.5, 1.0, 2.0, 4.0)
_sliced_wasserstein = jax.jit(squared_sliced, static_argnums=3)
MEDIAN_OF = 1000  # examples of each sample from which the median distance is taken


def mmd(x, y, bandwidth=None, biased: bool = False):
    """The squared maximum mean discrepancy of `x: [n, *event]` and `y: [m, *event]`.

    `mean_{i!=j} k(x_i, x_j) + mean_{i!=j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)`, in [-2, 2] and zero
    in expectation for one law, so it may be slightly negative. `biased` means over all i and j: the
    squared distance of the two samples themselves, never negative, about `1/n + 1/m` for one law.
    The kernel is the mean of `exp(-|a - b|^2 / (2 h^2))` over the bandwidths h: a number, several,
    or None for `bandwidths(x, y)`.

    Gretton et al. (2012), JMLR 13. Raises ValueError unless both are reals of one shape, two or more.
    """
    x, y = flat("mmd", x, y)
    h = bandwidths(x, y) if bandwidth is None else jnp.asarray(bandwidth, jnp.float32)
    return _mmd(x, y, h.reshape(-1), biased)


def bandwidths(x, y):
    """A quarter, half, once, twice and four times the median distance between two examples of x and y.

    The pairs are all different ones among the first 1,000 of x and of y, pooled; `f32[5]`. Found on the
    host: in a program of your own, pass `bandwidth` to `mmd`.
    """
    x, y = flat("bandwidths", x, y)
    pooled = np.concatenate([x[:MEDIAN_OF], y[:MEDIAN_OF]])
    return jnp.float32(max(np.median(pdist(pooled)), 1e-12) * np.array(MULTIPLES))


def sliced_wasserstein(x, y, key, projections: int = 256):
    """The sliced Wasserstein distance of order 2 between `x: [n, *event]` and `y: [m, *event]`.

    `sqrt(E W_2(a.x, a.y)^2)` over `projections` random directions `a`, uniform on the sphere; on a line
    the best coupling joins equal quantiles, which is computed exactly for any n and m. In the units of
    the data; a shift by s is `|s| / sqrt(d)` away.

    Bonneel et al. (2015), JMIV 51. Raises ValueError unless both are reals of one shape, two or more.
    """
    x, y = flat("sliced_wasserstein", x, y)
    return jnp.sqrt(_sliced_wasserstein(key, x, y, projections))


@partial(jax.jit, static_argnums=3)
def _mmd(x, y, bandwidth, biased):
    middle = y.mean(0)  # the kernel does not see a shift, but rounding does

    def kernel_sums(a, b):
        """`sum_j k(a_i, b_j)` for each i, a few hundred rows at a time."""

        def row(a_i):
            distance = (a_i**2).sum() - 2 * b @ a_i + (b**2).sum(1)
            kernel = jnp.exp(-jnp.maximum(distance, 0)[:, None] / (2 * bandwidth**2))
            return kernel.mean(1).sum()

        return jax.lax.map(row, a, batch_size=min(256, len(a)))

    def within(a):
        if biased:
            return kernel_sums(a, a).mean() / len(a)
        return (kernel_sums(a, a) - 1).mean() / (len(a) - 1)

    x, y = x - middle, y - middle
    squared = within(x) + within(y) - 2 * kernel_sums(x, y).mean() / len(y)
    return jnp.maximum(squared, 0) if biased else squared


def flat(who: str, x, y):
    """Both samples as `f32[n, d]`; raises ValueError as the distances say."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.shape[1:] != y.shape[1:] or min(len(x), len(y)) < 2:
        raise ValueError(
            f"{who}: got samples of shape {x.shape} and {y.shape}, wanted two or more examples of one "
            "shape each; stack them along the first axis"
        )
    for z in (x, y):
        if not jnp.issubdtype(z.dtype, jnp.floating):
            raise ValueError(
                f"{who}: got {z.dtype} numbers, wanted reals; scale levels with `as_reals` first"
            )
    return tuple(z.reshape(len(z), -1).astype(jnp.float32) for z in (x, y))
