"""Multi-head self-attention over the places of one example."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..core.check import positive
from .linear import contracted


class SelfAttention(nnx.Module):
    """`f32[*places, width]` -> the same shape: each place reads all, or with `causal` those up to itself.

    `softmax(q k' / sqrt(d)) v` in each of `heads` heads of `d = width / heads` numbers, then a linear
    map; places may have several axes, as in an image, and are read row by row. Parameters are named
    and shaped as those of `flax.nnx.MultiHeadAttention`.

    Vaswani et al. (2017), arXiv:1706.03762. Raises ValueError unless `heads` divides `width`.
    """

    def __init__(self, width: int, heads: int, rngs: nnx.Rngs, causal: bool = False):
        positive("attention", width=width, heads=heads)
        if width % heads:
            raise ValueError(
                f"attention: got a width of {width} for {heads} heads, wanted heads of equal size; "
                "choose a divisor of the width"
            )
        shape = (heads, width // heads)
        self.query = nnx.LinearGeneral(width, shape, dot_general=contracted, rngs=rngs)
        self.key = nnx.LinearGeneral(width, shape, dot_general=contracted, rngs=rngs)
        self.value = nnx.LinearGeneral(width, shape, dot_general=contracted, rngs=rngs)
        self.out = nnx.LinearGeneral(shape, width, axis=(-2, -1), dot_general=contracted, rngs=rngs)
        self.causal = causal

    def __call__(self, x):
        flat = x.reshape(-1, x.shape[-1])
        # heads first, so that all products are plain matrix products, head by head
        q, k, v = (jnp.swapaxes(p(flat), 0, 1) for p in (self.query, self.key, self.value))
        logits = q @ jnp.swapaxes(k, 1, 2) * q.shape[-1] ** -0.5
        if self.causal:
            logits = jnp.where(np.tri(len(flat), dtype=bool), logits, -jnp.inf)
        return self.out(jnp.swapaxes(jax.nn.softmax(logits) @ v, 0, 1)).reshape(x.shape)
