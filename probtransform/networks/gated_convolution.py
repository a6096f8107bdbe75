"""Gated causal convolutions of an image: down its rows, and to the right along each.

A convolution is one product with the shifted images side by side: inside a loop that is ten times as fast on
a CPU. What is kept of earlier rows or columns, zeros at first, stands in for the padding above or to the
left, so that a whole image and one new row or pixel take the same path.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .bilinear import product
from .transformer import dense, norm


def blocks(key, depth: int, neighbours: int, width: int, classes: int) -> dict:
    """Parameters of `depth` blocks, each with a vector a class (or one for all) to add to its sums."""
    first, second = jax.random.split(key)
    return {
        "conv": dense(first, depth, neighbours * width, width),
        "known": jnp.zeros((depth, max(1, classes), width)),
        "gate": dense(second, depth, width, 2 * width, scale=(depth / 2) ** -0.5),
    }


def down(p, x, kept, known, key=None, dropout: float = 0.0):
    """A block on `f32[n, w, width]`, rows below those kept, `f32[reach, w, width]`; and the rows to keep.

    Place (i, j) reads the rows `i - reach .. i` and the columns `j - reach .. j + reach`.
    """
    reach, (n, w, _) = len(kept), x.shape
    u = jnp.concatenate([kept, loud(x)])
    wide = jnp.pad(u, ((0, 0), (reach, reach), (0, 0)))
    corners = [(a, b) for a in range(reach + 1) for b in range(2 * reach + 1)]
    seen = [wide[a : a + n, b : b + w] for a, b in corners]
    return x + gated(p, seen, known, key, dropout), u[n:]


def right(p, x, kept, known, key=None, dropout: float = 0.0):
    """A block on `f32[..., n, width]`, to the right of `f32[..., reach, width]` kept; and what to keep.

    Place j reads the columns `j - reach .. j`.
    """
    reach, n = kept.shape[-2], x.shape[-2]
    u = jnp.concatenate([kept, loud(x)], -2)
    seen = [u[..., a : a + n, :] for a in range(reach + 1)]
    return x + gated(p, seen, known, key, dropout), u[..., n:, :]


def gated(p, neighbours, known, key, dropout):
    """`a sigmoid(b)` with `(a, b) = silu(neighbours conv + known) gate`; the key drops features."""
    t = jax.nn.silu(product(jnp.concatenate(neighbours, -1), p["conv"]) + known)
    if key is not None and dropout:
        t = t * jax.random.bernoulli(key, 1 - dropout, t.shape) / (1 - dropout)
    a, b = jnp.split(product(t, p["gate"]), 2, -1)
    return a * jax.nn.sigmoid(b)


def loud(x):
    return jax.nn.silu(norm(x))
