"""When matching looks: how a uniform number becomes a time. `(params, u) -> t`, growing, from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri

from ..paths import Path, time_of

Times = Callable[[Any, Any], Any]
KNOTS = 1025


def log_normal(path: Path, mean: float, deviation: float) -> Times:
    """Times at which `log(sigma / alpha) ~ N(mean, deviation^2)`; what lies beyond the path is at its ends.

    On `edm()` with -1.2 and 1.2 the density of Karras et al. (2022), arXiv:2206.00364; on `linear()` times
    are logit-normal, with 0 and 1 those of Esser et al. (2024), arXiv:2403.03206. Quantiles are tabulated.
    Raises ValueError unless `deviation` is positive.
    """
    if not deviation > 0:
        raise ValueError(
            f"log_normal: got deviation={deviation}, wanted more than 0; 1 to 2 are usual"
        )
    u = np.linspace(0, 1, KNOTS)
    with np.errstate(divide="ignore"):
        t = time_of(path, -2 * (mean - deviation * ndtri(u)))
    return lambda params, v: jnp.interp(v, jnp.asarray(u), jnp.asarray(t))
