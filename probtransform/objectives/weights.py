"""How much each time counts in matching: weights of the squared error of the noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..paths import Rates

Weight = Callable[[Rates], Any]  # of the path's rates at a time


def min_snr(most: float = 5.0) -> Weight:
    """`min(SNR, most) / SNR` of the noise error: no time counts much more than another.

    Hang et al. (2023), arXiv:2303.09556. Raises ValueError unless `most` is positive.
    """
    if not most > 0:
        raise ValueError(f"min_snr: got most={most}, wanted more than 0; 5 is usual")
    return lambda rates: jnp.minimum(1.0, most * (rates.sigma / rates.alpha) ** 2)


def karras(scale: float = 0.5) -> Weight:
    """`(n^2 + s^2) / (n s)^2` of the data error, `n = sigma / alpha`: at first all times count alike.

    `scale`, s, is the standard deviation of the data. Karras et al. (2022), arXiv:2206.00364.
    """
    if not scale > 0:
        raise ValueError(f"karras: got scale={scale}, wanted the standard deviation of the data")
    return lambda rates: 1 + (rates.sigma / (rates.alpha * scale)) ** 2


def likelihood(rates: Rates):
    """`1/2 d(log SNR)/dt` of the noise error: the bound of the likelihood, a dimension.

    Kingma et al. (2021), arXiv:2107.00630; Song et al. (2021), arXiv:2101.09258.
    """
    return rates.alpha_dot / rates.alpha - rates.sigma_dot / rates.sigma
