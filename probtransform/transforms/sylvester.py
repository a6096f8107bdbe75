"""Orthogonal Sylvester flows: several bends at once, along orthogonal directions."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive
from .bisection import solve_increasing
from .householder import reflected


def sylvester(size: int, width: int) -> Transform[Exact]:
    """`x = z + Q R tanh(S Q^T z + b)`: Q of `width` orthonormal columns, R and S upper triangular.

    `log|det| = sum_i log(1 + (1 - tanh_i^2) R_ii S_ii)`, with `R_ii S_ii > -0.95`. Back, `a = S Q^T z + b`
    solves the triangular `a + S R tanh(a) = S Q^T x + b`, from the last entry to the first one
    increasing equation each: `width` certified roots. Q is a product of `width` reflections.
    Starts as the identity, R = 0. `width = 1` is `planar`.

    Example: `z, x: f32[size]`. van den Berg et al. (2018), arXiv:1803.05649.
    Raises ValueError unless `1 <= width <= size`.
    """
    positive("sylvester", size=size, width=width)
    if width > size:
        raise ValueError(
            f"sylvester: got width={width} for size={size}, wanted at most as many directions as numbers; "
            "pass a smaller width"
        )

    def triangles(params):
        """R and S, their diagonals within +-0.97 so that no product of two reaches -0.95."""
        return [
            jnp.triu(params[name], 1) + jnp.diag(0.97 * jnp.tanh(jnp.diag(params[name])))
            for name in ("r", "s")
        ]

    def along(params, z):
        return reflected(params["vectors"], z)[:width]

    def into(params, y):
        return reflected(params["vectors"][::-1], jnp.pad(y, (0, size - width)))

    def weight(r, s, bend):
        return -jnp.log1p((1 - bend**2) * jnp.diag(r) * jnp.diag(s)).sum()

    def joint(params, key, z, cond=None):
        r, s = triangles(params)
        bend = jnp.tanh(s @ along(params, z) + params["b"])
        return z + into(params, r @ bend), weight(r, s, bend)

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("sylvester", x, (size,))
        r, s = triangles(params)
        product, wanted = s @ r, s @ along(params, x) + params["b"]

        def one(bend, i):
            # entries before i are still zero, entries after it are known
            y = wanted[i] - product[i] @ bend
            a = solve_increasing(lambda a: a + product[i, i] * jnp.tanh(a), y)
            return bend.at[i].set(jnp.tanh(a)), None

        bend, _ = jax.lax.scan(one, jnp.zeros_like(wanted), jnp.arange(width), reverse=True)
        return x - into(params, r @ bend), weight(r, s, bend)

    def init(key):
        return {
            "vectors": jax.random.normal(key, (width, size)),
            "r": jnp.zeros((width, width)),
            "s": jnp.eye(width),
            "b": jnp.zeros(width),
        }

    return Transform(init, forward, Exact(inverse), joint)
