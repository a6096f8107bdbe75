"""Radial flows: space drawn towards a centre, or pushed away."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive
from .planar import above


def radial(size: int) -> Transform[Exact]:
    """`x = z + b (z - c) / (a + r)`, `r = |z - c|`, `a > 0`, `b > -0.95 a`: the identity at first.

    `log|det| = (size - 1) log(1 + b/(a + r)) + log(1 + a b/(a + r)^2)`. Back, the radius is the
    positive root of `r^2 + (a + b - R) r - a R = 0` with `R = |x - c|`: closed form.

    Example: `z, x: f32[size]`. Rezende & Mohamed (2015), arXiv:1505.05770.
    """
    positive("radial", size=size)

    def parts(params):
        a = jnp.exp(params["log_a"])
        return a, a * above(params["raw_b"]), params["centre"]

    def log_det(a, b, r):
        return (size - 1) * jnp.log1p(b / (a + r)) + jnp.log1p(a * b / (a + r) ** 2)

    def joint(params, key, z, cond=None):
        a, b, c = parts(params)
        r = length(z - c)
        return z + b * (z - c) / (a + r), -log_det(a, b, r)

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("radial", x, (size,))
        a, b, c = parts(params)
        far = length(x - c)
        half = (a + b - far) / 2
        root = jnp.sqrt(half**2 + a * far)
        # of the two forms of the root, the one that adds: the other cancels
        r = jnp.where(half > 0, a * far / (abs(half) + root), root - half)
        return c + (x - c) / (1 + b / (a + r)), -log_det(a, b, r)

    def init(key):
        centre = jax.random.normal(key, (size,)) / math.sqrt(size)
        return {"log_a": jnp.zeros(()), "raw_b": jnp.zeros(()), "centre": centre}

    return Transform(init, forward, Exact(inverse), joint)


def length(v):
    """`|v|`, with gradient zero, not NaN, at zero."""
    square = (v**2).sum()
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
