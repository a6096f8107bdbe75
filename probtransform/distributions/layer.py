"""Layers of units that are independent given their natural parameters: the visible side of a machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.random import threefry_2x32
from jax.nn import logsumexp

from ..core.check import example, positive
from .observation import integers, is_level
from .softplus import softplus


class Layer(NamedTuple):
    """Units whose law given natural parameters `eta: f32[size]` is `exp(eta . s(v) + base(v) - A(eta))`.

    statistic: `v -> s(v): f32[size]`.           base:    `v -> scalar`, -inf where there is no mass.
    log_partition: `eta -> A(eta)`.              natural: `E[s] -> eta`, the other way round, kept finite.
    sample: `(key, eta) -> v`.
    """

    size: int
    statistic: Callable[..., Any]
    base: Callable[..., Any]
    log_partition: Callable[..., Any]
    natural: Callable[..., Any]
    sample: Callable[..., Any]


RARE = 1e-3  # no unit is taken to be rarer when its natural parameter is read off a mean


def coins(key, eta):
    """Bits, 1 with probability `sigmoid(eta)`, of a key of Threefry: half a hash for each, no more.

    `jax.random.bernoulli` takes 32 of the 64 bits of every hash, and hashes are most of a sweep.
    Salmon et al. (2011), SC11.
    """
    p = jax.nn.sigmoid(eta)
    if "threefry" not in str(jax.random.key_impl(key)):
        return jax.random.bernoulli(key, p)
    hashed = threefry_2x32(jax.random.key_data(key), jnp.arange(eta.size, dtype=jnp.uint32))
    return (hashed.reshape(eta.shape) >> 8).astype(p.dtype) * 2.0**-24 < p


def bits(shape: tuple[int, ...]) -> Layer:
    """Binary units, integers 0 or 1; any other has no mass."""

    def statistic(v):
        example("binary units", v, shape, jnp.integer)
        return v.reshape(-1).astype(jnp.float32)

    def natural(mean):
        p = jnp.clip(mean, RARE, 1 - RARE)
        return jnp.log(p) - jnp.log1p(-p)

    def sample(key, eta):
        return coins(key, eta).astype(jnp.uint8).reshape(shape)

    return Layer(
        math.prod(shape),
        statistic,
        lambda v: jnp.where(is_level(v, 2).all(), 0.0, -jnp.inf),
        lambda eta: softplus(eta).sum(-1),
        natural,
        sample,
    )


def symbols(shape: tuple[int, ...], levels: int) -> Layer:
    """Units of so many levels, `softmax(eta)[v]` each. Salakhutdinov et al. (2007), ICML."""
    positive("symbols", levels=levels)
    d = math.prod(shape)

    def statistic(v):
        example("symbol units", v, shape, jnp.integer)
        return jax.nn.one_hot(v.reshape(-1), levels).reshape(-1)

    def log_partition(eta):
        return logsumexp(eta.reshape(*eta.shape[:-1], d, levels), -1).sum(-1)

    def sample(key, eta):
        v = jax.random.categorical(key, eta.reshape(d, levels))
        return v.astype(integers(levels)).reshape(shape)

    return Layer(
        d * levels,
        statistic,
        lambda v: jnp.where(is_level(v, levels).all(), 0.0, -jnp.inf),
        log_partition,
        lambda mean: jnp.log(jnp.maximum(mean, RARE)),
        sample,
    )


def normals(shape: tuple[int, ...]) -> Layer:
    """Real units, `N(eta, 1)`: data are best of variance one. Welling et al. (2005), NIPS 17."""
    d = math.prod(shape)

    def statistic(v):
        example("normal units", v, shape)
        return v.reshape(-1)

    return Layer(
        d,
        statistic,
        lambda v: -jnp.sum(v**2) / 2,
        lambda eta: jnp.sum(eta**2, -1) / 2 + d / 2 * math.log(2 * math.pi),
        lambda mean: mean,
        lambda key, eta: (eta + jax.random.normal(key, eta.shape)).reshape(shape),
    )


def units(shape: tuple[int, ...], levels: int) -> Layer:
    """Units of so many levels: bits where there are two."""
    return bits(shape) if levels == 2 else symbols(shape, levels)


def beside(first: Layer, second: Layer) -> Layer:
    """Two layers as one, of pairs `(v, h)`: what both are coupled to need not know which is which."""

    def parts(eta):
        return eta[..., : first.size], eta[..., first.size :]

    def log_partition(eta):
        a, b = parts(eta)
        return first.log_partition(a) + second.log_partition(b)

    def natural(mean):
        a, b = parts(mean)
        return jnp.concatenate([first.natural(a), second.natural(b)])

    def sample(key, eta):
        a, b = parts(eta)
        one, other = jax.random.split(key)
        return first.sample(one, a), second.sample(other, b)

    return Layer(
        first.size + second.size,
        lambda pair: jnp.concatenate([first.statistic(pair[0]), second.statistic(pair[1])]),
        lambda pair: first.base(pair[0]) + second.base(pair[1]),
        log_partition,
        natural,
        sample,
    )
