"""A fixed permutation of the entries of a vector."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..core import Exact, Transform
from ..core.check import example


def permute(order) -> Transform[Exact]:
    """`x_i = z_order[i]`: entries change places; the weight is zero.

    Example: `permute([2, 0, 1])` maps `f32[3]` to `f32[3]`; `permute(range(d)[::-1])` reverses.
    Raises ValueError unless `order` holds each of `0 .. d-1` once.
    """
    order = np.asarray(order)
    if order.ndim != 1 or sorted(order.tolist()) != list(range(len(order))):
        raise ValueError(
            f"permute: got the order {order.tolist()}, wanted each of 0 .. d-1 once; "
            "numpy.random.default_rng(0).permutation(d) makes one"
        )
    back = np.argsort(order)

    def forward(params, key, z, cond=None):
        return z[order]

    def inverse(params, key, x, cond=None):
        example("permute", x, order.shape)
        return x[back], jnp.zeros(())

    return Transform(lambda key: {}, forward, Exact(inverse))
