"""Laws on the way from one that is known to one whose constant is not: what annealing climbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import Unnormalized


class Ladder(NamedTuple):
    """Laws of x, one for every b from 0, where the constant is known, to 1. Every function takes ONE example.

    start:       `(params, key, cond) -> x`, a draw at 0.
    constant:    `(params, cond) -> log Z_0`, in nats.
    log_density: `(params, b, x, cond) -> log f_b(x)`; at 1 the claim itself.
    move:        `(params, key, b, x, cond) -> x`, which leaves the law at b as it is.
    """

    start: Callable[..., Any]
    constant: Callable[..., Any]
    log_density: Callable[..., Any]
    move: Callable[..., Any]


@dataclass(frozen=True)
class Tempered(Unnormalized):
    """The `Unnormalized` of a law that knows its own ladder, such as a machine's sweeps at any temperature.

    Neal (2001), arXiv:physics/9803008.
    """

    ladder: Ladder
