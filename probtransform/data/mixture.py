"""Mixtures: a component is drawn by its weight, then an example from the component."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from ..core.density import Exact
from ..core.distribution import Distribution

MEANS = ((-2.0, -1.0), (2.0, -1.0), (0.0, 2.0))
SCALES = (0.6, 0.3, 0.45)
WEIGHTS = (0.5, 0.3, 0.2)


def mixture(
    weights: Sequence[float], draw: Callable, log_densities: Callable
) -> Distribution[Exact]:
    """`p(x) = sum_k w_k p_k(x)`, or `p_k(x)` where `cond` is the index `k`.

    `draw(key, k) -> x` samples component `k`, and `log_densities(x) -> [K]` gives all of them.
    """
    log_weights = jnp.log(jnp.asarray(weights, jnp.float32) / sum(weights))

    def sample(params, key, cond=None):
        which, rest = jax.random.split(key)
        return draw(rest, jax.random.categorical(which, log_weights) if cond is None else cond)

    def log_density(params, key, x, cond=None):
        each = log_densities(x)
        return logsumexp(log_weights + each) if cond is None else each[cond]

    return Distribution(lambda key: {}, sample, Exact(log_density))


def gaussian_mixture(means=MEANS, scales=SCALES, weights=WEIGHTS) -> Distribution[Exact]:
    """Round Gaussians, `p(x) = sum_k w_k N(x; m_k, s_k^2 I)`, in any dimension.

    `means: [K, d]`, `scales: [K]`, `weights: [K]` (made to sum to one); an example is `x: [d]`. The
    three of the default lie in the plane, between -4 and 4. Condition: the component.
    Raises ValueError if the three disagree on `K`, or a scale or weight is not positive.
    """
    m, s = jnp.asarray(means, jnp.float32), jnp.asarray(scales, jnp.float32)
    if m.ndim != 2 or not len(m) == len(scales) == len(weights):
        raise ValueError(
            f"gaussian_mixture: got means {m.shape}, {len(scales)} scales and {len(weights)} "
            "weights, wanted [K, d], K and K; give each component one of each"
        )
    if min(*scales, *weights) <= 0:
        raise ValueError(
            f"gaussian_mixture: got scales {tuple(scales)} and weights {tuple(weights)}, wanted "
            "numbers above zero; leave out a component that has no share"
        )

    def draw(key, k):
        return m[k] + s[k] * jax.random.normal(key, m.shape[1:])

    def log_densities(x):
        z = (x - m) / s[:, None]
        return -jnp.sum(z**2, -1) / 2 - m.shape[1] * jnp.log(s * np.sqrt(2 * np.pi))

    return mixture(weights, draw, log_densities)
