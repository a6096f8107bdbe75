"""Traces of a matrix that is only seen through its products: exact, or of a few random directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core.check import positive


class Trace(NamedTuple):
    """An estimate of `tr A` from products `A v`, linear in nothing but what it draws beforehand.

    draw: `(key, size) -> probes`, once for a whole path, so that the path stays an ODE.
    of:   `(product, probes) -> scalar`, `product: f32[k, size] -> f32[k, size]` multiplies rows by A.
    """

    draw: Callable[..., Any]
    of: Callable[..., Any]


def exact() -> Trace:
    """The sum of `e_i . A e_i`: as many products as there are dimensions, and no noise."""
    return Trace(lambda key, size: jnp.eye(size), along)


def hutchinson(probes: int = 1) -> Trace:
    """The mean of `v . A v` over random signs v, unbiased; `probes` products.

    The variance is `2 (|A|_F^2 - sum_i A_ii^2) / probes` for a symmetric A.
    Hutchinson (1989); Grathwohl et al. (2019), arXiv:1810.01367. Raises ValueError without a probe.
    """
    positive("hutchinson", probes=probes)
    return Trace(lambda key, size: signs(key, probes, size) / probes**0.5, along)


def hutch_plus_plus(probes: int = 4) -> Trace:
    """Exact on the range of `A S` for `probes` random signs S, Hutchinson's beside it; `3 probes` products.

    Unbiased, and its variance falls with `probes^-2` where eigenvalues fall quickly. From `probes = size`
    on nothing is left beside the range.
    Meyer et al. (2021), arXiv:2010.09649. Raises ValueError without a probe.
    """
    positive("hutch_plus_plus", probes=probes)

    def draw(key, size):
        return signs(key, 2 * probes, size)

    def of(product, drawn):
        sketch, rest = jnp.split(drawn, 2)
        range_, _ = jnp.linalg.qr(product(sketch[: drawn.shape[1]]).T)
        rest = rest - (rest @ range_) @ range_.T
        return along(product, range_.T) + along(product, rest / probes**0.5)

    return Trace(draw, of)


def along(product, rows):
    return (rows * product(rows)).sum()


def signs(key, count: int, size: int):
    return jax.random.rademacher(key, (count, size), float)
