"""Laws on the way from one that is known to one whose constant is not: what annealing climbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import Density, Distribution, Unnormalized


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


@dataclass(frozen=True)
class TemperedBound(Density):
    """A bound up to the constant of another law, whose ladder is known: `E[fn] <= log p(x) + log Z`.

    end: `(params, key, cond) -> x`, a draw of the law whose constant it is, x as the ladder has it.
    """

    ladder: Ladder
    end: Callable[..., Any]


def lacking(density: Density, base: Distribution[Any]) -> Density:
    """The same claim, made of that of `base`, with the ladder to all that it lacks if `base` knows one."""
    known = base.density
    if isinstance(known, Tempered):
        return TemperedBound(density.fn, known.ladder, base.sample)
    if isinstance(known, TemperedBound):
        return TemperedBound(density.fn, known.ladder, known.end)
    return density
