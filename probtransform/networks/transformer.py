"""Blocks of attention and perceptron: what the transformers here share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import positive
from .bilinear import product


class Blocks(NamedTuple):
    """`depth` blocks `h + attention(norm h)`, `h + mlp(norm h)`, for `h: f32[n, width]`.

    init:  four keys `-> params`, stacked over the blocks.
    apply: `(params, h, ahead, key=None) -> h`, all places at once; `ahead: f32[n, n]` is added to the logits
           (`behind(n)` for a causal reading, 0 for all places by all). With a key, numbers are dropped.
    empty: `n -> kept`, room for the keys and values of n places.
    step:  `(params, h, kept, i) -> (h, kept)`: place i alone, `h: f32[1, width]`, after those before it.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]
    empty: Callable[..., Any]
    step: Callable[..., Any]


def blocks(who: str, width: int, depth: int, heads: int, dropout: float = 0.0) -> Blocks:
    """Pre-normalised blocks, Vaswani et al. (2017), arXiv:1706.03762, as `Blocks`.

    Dropped numbers have probability `dropout`, the others are scaled up.
    Raises ValueError, in the name of `who`, unless `heads` divides `width`.
    """
    positive(who, width=width, depth=depth, heads=heads)
    if width % heads:
        raise ValueError(
            f"{who}: got a width of {width} for {heads} heads, wanted heads of equal size; "
            "choose a divisor of the width"
        )
    quiet = (2 * depth) ** -0.5  # the sum of all blocks starts at the size of one

    def init(keys):
        qkv, out, up, down = keys
        return {
            "qkv": dense(qkv, depth, width, 3 * width),
            "out": dense(out, depth, width, width, scale=quiet),
            "up": dense(up, depth, width, 4 * width),
            "down": dense(down, depth, 4 * width, width, scale=quiet),
        }

    def apply(params, h, ahead, key=None):
        def dropped(h, key):
            if key is None or not dropout:
                return h
            return h * jax.random.bernoulli(key, 1 - dropout, h.shape) / (1 - dropout)

        def block(h, p_keys):
            p, keys = p_keys
            first, second = (None, None) if keys is None else keys
            q, k, v = split(product(norm(h), p["qkv"]))
            h = h + dropped(product(read(q, k, v, ahead), p["out"]), first)
            return h + dropped(each_place(p, h), second), None

        keys = None if key is None else jax.random.split(key, 2 * depth).reshape(depth, 2)
        return jax.lax.scan(block, h, (params, keys))[0]

    def empty(n):
        room = jnp.zeros((depth, heads, n, width // heads))
        return room, room

    def step(params, h, kept, i):
        ahead = jnp.where(jnp.arange(kept[0].shape[2]) <= i, 0.0, -jnp.inf)[None]

        def block(h, p_k_v):
            p, k, v = p_k_v
            q, new_k, new_v = split(product(norm(h), p["qkv"]))
            k = jax.lax.dynamic_update_slice(k, new_k, (0, i, 0))
            v = jax.lax.dynamic_update_slice(v, new_v, (0, i, 0))
            h = h + product(read(q, k, v, ahead), p["out"])
            return h + each_place(p, h), (k, v)

        return jax.lax.scan(block, h, (params, *kept))

    def each_place(p, h):
        return product(jax.nn.gelu(product(norm(h), p["up"])), p["down"])

    def split(qkv):
        """`f32[n, 3 width]` as queries, keys and values, `f32[heads, n, width / heads]` each."""
        return jnp.moveaxis(qkv.reshape(len(qkv), 3, heads, -1), 1, 0).swapaxes(1, 2)

    return Blocks(init, apply, empty, step)


def behind(n: int):
    """`f32[n, n]`: 0 where row i reads place j <= i, else minus infinity."""
    return jnp.where(np.tri(n, dtype=bool), 0.0, -jnp.inf)


def dense(key, *shape: int, scale: float = 1.0):
    """Weights `[..., inputs, outputs]` that read numbers of size one and give numbers of size `scale`."""
    return scale * shape[-2] ** -0.5 * jax.random.normal(key, shape)


def norm(h):
    """Rows with mean zero and variance one."""
    away = h - h.mean(-1, keepdims=True)
    return away * jax.lax.rsqrt((away**2).mean(-1, keepdims=True) + 1e-6)


def read(q, k, v, ahead):
    """`softmax(q k' / sqrt(d) + ahead) v` of each head, side by side: `f32[n, width]`."""
    shares = jax.nn.softmax(q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1]) + ahead)
    return (shares @ v).swapaxes(0, 1).reshape(q.shape[1], -1)
