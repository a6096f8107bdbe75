"""Uniform numbers cut into symbols: the inverse of a distribution function, entry by entry."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Bound, Transform
from ..core.check import example


def cut(size: int, law) -> Transform[Bound]:
    """`f32[size]` in [-1, 1] to `i32[size]`: [-1, 1] in cells of lengths `2 law`, one a symbol.

    Of uniforms it makes symbols independent of one another, each of this law. Back, a uniform draw in the
    cell of the symbol; the weight is `sum_i log(2 law[x_i])`, and with uniforms the claim has no gap.

    Example: `cut(64, [0, 0, 1])` makes twos of anything. Raises ValueError for an `x` of another shape or of
    reals, or a law that is none.
    """
    law = np.asarray(law, np.float64)
    if law.ndim != 1 or (law < 0).any() or abs(law.sum() - 1) > 1e-6:
        raise ValueError(f"cut: got the law {law}, wanted shares of one; divide by their sum")
    ends = np.cumsum(law)
    last = int(np.flatnonzero(law)[-1])

    def forward(params, key, z, cond=None):
        inside = (z[:, None] + 1) / 2 >= jnp.asarray(ends[:last], z.dtype)
        return inside.sum(-1).astype(jnp.int32)

    def inverse(params, key, x, cond=None):
        example("cut", x, (size,), jnp.integer)
        share, end = jnp.asarray(law, float)[x], jnp.asarray(ends, float)[x]
        z = 2 * (end - share * jax.random.uniform(key, (size,), float)) - 1
        known = (x >= 0) & (x < len(law))
        return z, jnp.where(known, jnp.log(2 * share), -jnp.inf).sum()

    return Transform(lambda key: {}, forward, Bound(inverse))
