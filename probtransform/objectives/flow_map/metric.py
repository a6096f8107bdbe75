"""What an error of a whole example costs: of its mean square m, a growing function.

A concave one weighs an example the less the larger its error, as its weights `d metric / dm` say.
Where the target is noisy, as a conditional velocity is, the minimiser is its mean for `squared` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

Metric = Callable[[Any], Any]  # of an error `f32[*event]`: a scalar


def squared(error):
    """m, the mean of `error^2`: the weight is 1."""
    return jnp.mean(error**2)


def pseudo_huber(c: float = 5.4e-4) -> Metric:
    """`sqrt(m + c^2) - c`: the weight is `1 / (2 sqrt(m + c^2))`.

    Song & Dhariwal (2023), arXiv:2310.14189.
    """
    above("pseudo_huber", c)
    return lambda error: jnp.sqrt(squared(error) + c**2) - c


def adaptive(c: float = 1e-3) -> Metric:
    """`log(1 + m / c)`: the weight is `1 / (m + c)`, that of MeanFlow with p = 1. arXiv:2505.13447."""
    above("adaptive", c)
    return lambda error: jnp.log1p(squared(error) / c)


def above(who: str, c: float) -> None:
    if not c > 0:
        raise ValueError(f"{who}: got c={c}, wanted more than 0; 0.001 is usual")
