"""One network for every path: what it reads and gives has the size of one at every time."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Network
from .path import Path
from .views import known, view


def preconditioned(network: Network, path: Path, predicts: str, scale: float = 1.0) -> Network:
    """The prediction `predicts` of a network F that reads `x_t / n` and gives what x_t does not tell.

    For data of standard deviation s = `scale`, `n^2 = alpha^2 s^2 + sigma^2` is the variance of x_t, and F
    stands for `(alpha s z - sigma x / s) / n`, uncorrelated with x_t, of variance one. `F = 0` is the best
    linear prediction, that of normal data. On `edm()` F is minus that of Karras et al. (2022),
    arXiv:2206.00364; on variance-preserving paths with s = 1 it is v. Raises ValueError unless `scale` is
    positive, or for another prediction.
    """
    known(predicts)
    if not scale > 0:
        raise ValueError(
            f"preconditioned: got scale={scale}, wanted the standard deviation of the data"
        )

    def apply(params, x, t, cond=None):
        rates = path.rates(t)
        n = jnp.sqrt((rates.alpha * scale) ** 2 + rates.sigma**2)
        unknown = -rates.sigma / (scale * n), rates.alpha * scale / n
        p, q = view(rates, unknown, predicts)
        return p * x + q * network.apply(params, x / n, t, cond)

    return Network(network.init, apply)
