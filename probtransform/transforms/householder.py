"""Products of Householder reflections: every rotation, without a constraint on the parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive


def householder(size: int, reflections: int | None = None) -> Transform[Exact]:
    """`x = H_1 ... H_m z` with `H v = v - 2 u (u.v) / |u|^2`, `m = reflections`, or `size` if left out.

    Orthogonal whatever the vectors u: lengths stay and the weight is zero. They start in equal pairs,
    and as `H H = I` the map starts as the identity; an odd number starts as one reflection.

    Example: `z, x: f32[size]`, the block holds `f32[m, size]`.
    Tomczak & Welling (2016), arXiv:1611.09630. Raises ValueError if a number is less than one.
    """
    count = size if reflections is None else reflections
    positive("householder", size=size, reflections=count)

    def init(key):
        return {
            "vectors": jnp.repeat(jax.random.normal(key, ((count + 1) // 2, size)), 2, 0)[:count]
        }

    def forward(params, key, z, cond=None):
        return reflected(params["vectors"][::-1], z)

    def inverse(params, key, x, cond=None):
        example("householder", x, (size,))
        return reflected(params["vectors"], x), jnp.zeros(())

    return Transform(init, forward, Exact(inverse))


def reflected(vectors, z):
    """`H_m ... H_1 z` for the rows of `vectors: f32[m, d]`: the first row is the first to reflect."""

    def one(z, u):
        square = u @ u
        # a vector of zero length reflects nothing; its harmless divisor keeps gradients finite
        return z - 2 * u * ((u @ z) / jnp.where(square > 0, square, 1.0)), None

    return jax.lax.scan(one, z, vectors)[0]
