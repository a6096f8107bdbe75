"""Riemannian manifolds: where points live, how geodesics run, how large the whole is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import positive


class Manifold(NamedTuple):
    """Points are vectors `f32[size]`, lengths those of the space around. Every function takes ONE point.

    dimension:  of the manifold, at most `size`.
    exp:        `(x, v) -> y`, where the geodesic from x along the tangent v is at time one.
    log:        `(x, y) -> v`, the shortest tangent at x with `exp(x, v) = y`; one of them where there
                are several. Finite everywhere, and so are its gradients.
    project:    `(x, w) -> v`, any vector onto the tangents at x, orthogonally.
    nearest:    `w -> x`, any vector to the point nearest to it.
    tangent:    `(x, w) -> v`, any vector to a tangent, linear and onto: what a network's output means.
                Two names of one point get one tangent, and no field so made leads over an edge.
    embed:      `x -> f32[k]`, smooth coordinates without seams: what a network should read.
    log_volume: of the whole, infinite where it has no uniform distribution.
    uniform:    `key -> x`, or None.

    Riemannian flow matching: Chen & Lipman (2023), arXiv:2302.03660.
    """

    size: int
    dimension: int
    exp: Callable[..., Any]
    log: Callable[..., Any]
    project: Callable[..., Any]
    nearest: Callable[..., Any]
    tangent: Callable[..., Any]
    embed: Callable[..., Any]
    log_volume: float = math.inf
    uniform: Callable[..., Any] | None = None

    def distance(self, x, y):
        """The length of the shortest geodesic from x to y."""
        return length(self.log(x, y))

    def contains(self, x, tolerance: float = 1e-3):
        """Whether x is a point of the manifold, up to rounding."""
        away = self.embed(x) - self.embed(self.nearest(x))
        return jnp.max(jnp.abs(away)) < tolerance


def length(v):
    """`|v|`, whose gradient at zero is zero."""
    squared = jnp.sum(v**2)
    there = squared > 0
    return jnp.where(there, jnp.sqrt(jnp.where(there, squared, 1.0)), 0.0)


def wrapped(angle):
    """The angle in [-pi, pi)."""
    return angle - 2 * jnp.pi * jnp.floor((angle + jnp.pi) / (2 * jnp.pi))


def as_it_is(x, v):
    return v


def euclidean(size: int) -> Manifold:
    """`R^size`, whose geodesics are straight lines; nothing is uniform on it."""
    positive("euclidean", size=size)

    def nearest(x):
        return x

    return Manifold(
        size,
        size,
        exp=lambda x, v: x + v,
        log=lambda x, y: y - x,
        project=as_it_is,
        nearest=nearest,
        tangent=as_it_is,
        embed=nearest,
    )


def torus(size: int) -> Manifold:
    """The flat torus, `size` angles in [-pi, pi); a circle for size 1.

    Angles may come unwrapped; they leave wrapped. Each is read as its cosine and sine.
    """
    positive("torus", size=size)

    return Manifold(
        size,
        size,
        exp=lambda x, v: wrapped(x + v),
        log=lambda x, y: wrapped(y - x),
        project=as_it_is,
        nearest=wrapped,
        tangent=as_it_is,
        embed=lambda x: jnp.concatenate([jnp.cos(x), jnp.sin(x)]),
        log_volume=size * math.log(2 * math.pi),
        uniform=lambda key: jax.random.uniform(key, (size,), minval=-jnp.pi, maxval=jnp.pi),
    )


def product(*parts: Manifold) -> Manifold:
    """All of these at once: points one after another in one vector, squared distances added.

    Example: `product(so3(), euclidean(3))` has the motions of a rigid body, `f32[7]`.
    """
    cuts = np.cumsum([part.size for part in parts])[:-1]

    def each(*functions):
        def fn(*points):
            pieces = zip(*(jnp.split(point, cuts) for point in points), strict=True)
            return jnp.concatenate([f(*piece) for f, piece in zip(functions, pieces, strict=True)])

        return fn

    draws = [part.uniform for part in parts if part.uniform is not None]

    def uniform(key):
        keys = jax.random.split(key, len(draws))
        return jnp.concatenate([draw(k) for draw, k in zip(draws, keys, strict=True)])

    return Manifold(
        sum(part.size for part in parts),
        sum(part.dimension for part in parts),
        exp=each(*(part.exp for part in parts)),
        log=each(*(part.log for part in parts)),
        project=each(*(part.project for part in parts)),
        nearest=each(*(part.nearest for part in parts)),
        tangent=each(*(part.tangent for part in parts)),
        embed=each(*(part.embed for part in parts)),
        log_volume=sum(part.log_volume for part in parts),
        uniform=uniform if len(draws) == len(parts) else None,
    )
