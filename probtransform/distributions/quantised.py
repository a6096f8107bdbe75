"""The way back through an encoder whose codes are symbols, with the parts of its weight apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core import Bound


class Quantiser(NamedTuple):
    """Vectors for symbols and symbols for vectors: `i32[symbols]` in `0 .. levels-1` and `f32[size]`.

    init:    `key -> params`.
    within:  `f32[size] -> f32[size]`: an encoder's numbers, bent to where vectors are.
    vector:  `(params, symbols) -> z`.
    nearest: `(params, z) -> symbols`, those whose vector is nearest, or nearly.
    draw:    `(params, key, z) -> (symbols, log q(symbols|z))`, likelier the nearer; every symbol may come,
             the nearest alone as `params["log_scale"]` falls.
    book:    None, or `params -> [depth, levels, size]`: codes that may be moved.
    """

    symbols: int
    levels: int
    size: int
    init: Callable[..., Any]
    within: Callable[..., Any]
    vector: Callable[..., Any]
    nearest: Callable[..., Any]
    draw: Callable[..., Any]
    book: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Quantised(Bound):
    """The `Bound` of a decoder of symbols: `fn` draws them from q and gives `(s, log p(x|s) - log q(s|x))`.

    Objectives that train through the rounding read its parts; `params` are those of the step's own block,
    and its entry "codes" those of the quantiser.

    read:           `(params, x, cond) -> z: f32[size]`, what is to be rounded.
    log_likelihood: `(params, z, x, cond) -> log p(x|z)` of any vector, in nats.

    van den Oord et al. (2017), arXiv:1711.00937.
    """

    quantiser: Quantiser
    read: Callable[..., Any]
    log_likelihood: Callable[..., Any]
