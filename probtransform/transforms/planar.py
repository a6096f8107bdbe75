"""Planar flows: one bend along one direction."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive
from .bisection import solve_increasing


def planar(size: int) -> Transform[Exact]:
    """`x = z + u tanh(w.z + b)`, with `w.u > -0.95` whatever the parameters: the identity at first.

    `log|det| = log(1 + (1 - tanh^2) w.u)`. Back, the number `a = w.z + b` solves the increasing
    `a + (w.u) tanh(a) = w.x + b`, and `z = x - u tanh(a)`: one certified root whatever the size.

    Example: `z, x: f32[size]`. Rezende & Mohamed (2015), arXiv:1505.05770.
    """
    positive("planar", size=size)

    def parts(params):
        w, u, b = params["w"], params["u"], params["b"]
        u = u + (above(w @ u) - w @ u) * w / (w @ w + 1e-12)
        return w, u, b, w @ u

    def joint(params, key, z, cond=None):
        w, u, b, along = parts(params)
        bend = jnp.tanh(w @ z + b)
        return z + u * bend, -jnp.log1p((1 - bend**2) * along)

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("planar", x, (size,))
        w, u, b, along = parts(params)
        a = solve_increasing(lambda a: a + along * jnp.tanh(a), w @ x + b)
        bend = jnp.tanh(a)
        return x - u * bend, -jnp.log1p((1 - bend**2) * along)

    def init(key):
        w = jax.random.normal(key, (size,)) / math.sqrt(size)
        return {"w": w, "u": jnp.zeros(size), "b": jnp.zeros(())}

    return Transform(init, forward, Exact(inverse), joint)


def above(a, floor: float = -0.95):
    """A smooth number above `floor` that is 0 at 0: `-floor (softplus(a + log(e - 1)) - 1)`."""
    return -floor * (jax.nn.softplus(a + math.log(math.e - 1)) - 1)
