"""Contractions: networks that move no two points apart, whatever their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core.check import positive


class Contraction(NamedTuple):
    """A map `g` of vectors with `|g(x) - g(y)| <= slope |x - y|` in the Euclidean norm.

    init:  `key -> params`.
    at:    `(params, cond) -> g`, where all that does not depend on x is done once.
    slope: less than one; a promise for all parameters and conditions.
    """

    init: Callable[..., Any]
    at: Callable[..., Callable[[Any], Any]]
    slope: float


def contraction(
    size: int, context: int = 0, width: int = 64, depth: int = 1, slope: float = 0.9
) -> Contraction:
    """`g(x) = slope W_n phi(... phi(W_0 x + V cond + b_0))`, each `W_i` over `max(1, spectral_bound(W_i))`.

    `phi` is `bend`, of slope one, between `depth` hidden layers of `width`; `cond: f32[context]` moves the
    first of them and is left out if `context` is 0. The last layer starts at zero: `g = 0` at first.

    Example: `contraction(3).at(params, None)` maps `f32[3]` to `f32[3]`.
    Gouk et al. (2018), arXiv:1804.04368. Raises ValueError if a size is less than one.
    """
    positive("contraction", size=size, width=width, depth=depth)
    shapes = [(width, n) for n in [size] + [2 * width] * (depth - 1)] + [(size, 2 * width)]

    def init(key):
        *keys, last = jax.random.split(key, depth + 1)
        # orthogonal: the longest steps that the bound allows
        start = jax.nn.initializers.orthogonal()
        kernel = [start(k, shape) for k, shape in zip(keys, shapes[:-1], strict=True)]
        params = {"kernel": [*kernel, jnp.zeros(shapes[-1])], "bias": jnp.zeros((depth, width))}
        if not context:
            return params
        return params | {"context": jax.random.normal(last, (width, context)) / context**0.5}

    def at(params, cond=None):
        first, *rest = [w / jnp.maximum(1, spectral_bound(w)) for w in params["kernel"]]
        bias = params["bias"]
        if context:
            bias = bias.at[0].add(params["context"] @ cond)

        def g(x):
            h = first @ x
            for w, b in zip(rest, bias, strict=True):
                h = w @ bend(h + b)
            return slope * h

        return g

    return Contraction(init, at, slope)


def bend(h):
    """`(silu(h), silu(-h)) / 1.1044`, twice as many numbers: smooth, of slope at most one, about one far out.

    The slopes of the halves are a and 1 - a with a <= 1.09985, whose squares sum to at most 1.1044^2.
    Perugachi-Diaz et al. (2021), arXiv:2102.02694.
    """
    return jnp.concatenate([jax.nn.silu(h), jax.nn.silu(-h)]) / 1.1044


def spectral_bound(w, rounds: int = 6):
    """At least the largest singular value of `w: f32[n, m]`, at most `min(n, m)^(1/128)` times it (3% at 64).

    Its 2p-th power, `p = 2^rounds`, is the sum of all singular values to that power: the Frobenius norm of
    `w w^T`, squared again and again. Power iteration would end below the largest one, where nothing is
    certain; an SVD has a gradient that jumps where two are equal. This is products alone, smooth, and
    above. Delattre et al. (2023), arXiv:2305.16173.
    """
    tiny = 1e-30

    def scaled(m):
        # a bound of s m is s times that of m: no gradient is lost with that of s
        s = jax.lax.stop_gradient(abs(m).max()) + tiny
        return m / s, jnp.log(s)

    def squared(m, _):
        return scaled(jnp.matmul(m, m.T, precision="highest"))

    m, log_scale = scaled(w if w.shape[0] <= w.shape[1] else w.T)
    m, first = squared(m, None)
    m, rest = jax.lax.scan(squared, m, length=rounds - 1)
    logs = jnp.concatenate([jnp.stack([log_scale, first]), rest])
    roots = 2.0 ** -jnp.arange(rounds + 1)
    return jnp.exp(logs @ roots + jnp.log((m**2).sum() + tiny) * roots[-1] / 2)
