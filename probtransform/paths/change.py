"""The same path at another pace: a change of its time, and the shift that large images want."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .path import Path


def retimed(path: Path, time: Callable[..., Any]) -> Path:
    """The path at `time(t)`, a growing function of `jax.numpy` from [0, 1] onto [0, 1]; it may be learned."""
    return Path(lambda t: path.alpha(time(t)), lambda t: path.sigma(time(t)))


def shift(t, by: float):
    """`t / (t + by (1 - t))`: stay longer at the base where `by > 1`; shifts by a and b are one by `a b`.

    On the linear path `sigma / alpha` is `by` times as large everywhere: `retimed(linear(), ...)` for
    training, or of a grid for sampling, not both. Hoogeboom et al. (2023), arXiv:2301.11093; Esser et
    al. (2024), arXiv:2403.03206. Raises ValueError unless `by` is positive.
    """
    if not by > 0:
        raise ValueError(f"shift: got by={by}, wanted more than 0; 1 changes nothing")
    return t / (t + by * (1 - t))
