"""A curve seen through Gaussian noise, its density by quadrature along the curve."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

# Nodes stand less than half a standard deviation apart along every curve of this package, and
# the error of the rule falls as exp(-2 pi^2 (sigma / spacing)^2): float32 is the only limit left.
NODES = 512


def draw_near(key, curve: Callable, ends: tuple[float, float], sigma: float):
    """One point of `curve(t) + sigma e`, `t` uniform between `ends`, `e` standard normal."""
    along, away = jax.random.split(key)
    at = curve(jax.random.uniform(along, minval=ends[0], maxval=ends[1]))
    return at + sigma * jax.random.normal(away, at.shape)


def log_density_near(x, curve: Callable, ends: tuple[float, float], sigma: float):
    """`log p(x)`, in nats, with `p(x) = 1/(b - a) integral_a^b N(x; curve(t), sigma^2 I) dt`.

    Gauss and Legendre's rule, `curve: t [] -> [d]` and `x: [d]`, over the interval `ends = (a, b)`.
    """
    roots, weights = rule()
    (a, b), (d,) = ends, x.shape
    points = jax.vmap(curve)(jnp.asarray((a + b) / 2 + (b - a) / 2 * roots, jnp.float32))
    log_normal = -jnp.sum((x - points) ** 2, -1) / (2 * sigma**2)
    log_scale = d * np.log(sigma * np.sqrt(2 * np.pi))
    return logsumexp(log_normal, b=jnp.asarray(weights / 2, jnp.float32)) - log_scale


@cache
def rule() -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Legendre's nodes and weights on [-1, 1]: an eigenvalue problem, solved once."""
    return np.polynomial.legendre.leggauss(NODES)
