"""A causal transformer over symbols, run whole, or symbol by symbol with its keys and values kept."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Causal, one_hot
from ..core.check import positive


def causal_transformer(
    size: int,
    levels: int,
    outputs: int,
    classes: int = 0,
    width: int = 64,
    depth: int = 4,
    heads: int = 4,
    dropout: float = 0.0,
) -> Causal:
    """Rows `f32[size, outputs]` of symbols `i32[size]` in `0 .. levels-1`, row i from the symbols before i.

    Place i holds the embedding of symbol i-1 (at first a start, or the label's) plus that of the place; then
    `depth` blocks `h + attention(norm h)`, `h + mlp(norm h)`, and a linear map that starts at zero.
    `unroll` keeps the keys and values of all places so far, so that a symbol costs one place and not all.
    `apply` takes a key too: then numbers are dropped with probability `dropout` and the others scaled up.

    Vaswani et al. (2017), arXiv:1706.03762. Raises ValueError unless `heads` divides `width`.
    """
    positive(
        "causal_transformer", size=size, levels=levels, outputs=outputs, depth=depth, heads=heads
    )
    if width % heads:
        raise ValueError(
            f"causal_transformer: got a width of {width} for {heads} heads, wanted heads of equal size; "
            "choose a divisor of the width"
        )

    def init(key):
        keys = iter(jax.random.split(key, 8))

        def dense(*shape, scale=1.0):
            return scale * shape[-2] ** -0.5 * jax.random.normal(next(keys), shape)

        quiet = (2 * depth) ** -0.5  # the sum of all blocks starts at the size of one
        return {
            "symbols": 0.5 * jax.random.normal(next(keys), (levels, width)),
            "places": 0.5 * jax.random.normal(next(keys), (size, width)),
            "start": 0.5 * jax.random.normal(next(keys), (max(1, classes), width)),
            "blocks": {
                "qkv": dense(depth, width, 3 * width),
                "out": dense(depth, width, width, scale=quiet),
                "up": dense(depth, width, 4 * width),
                "down": dense(depth, 4 * width, width, scale=quiet),
            },
            "last": jnp.zeros((width, outputs)),
            "bias": jnp.zeros((size, outputs)),
        }

    def start(params, cond):
        return one_hot(cond, classes) @ params["start"] if classes else params["start"][0]

    def apply(params, symbols, cond=None, key=None):
        before = params["symbols"][symbols[:-1]]
        h = jnp.concatenate([start(params, cond)[None], before]) + params["places"]
        ahead = jnp.where(np.tri(size, dtype=bool), 0.0, -jnp.inf)

        def dropped(h, key):
            if key is None or not dropout:
                return h
            return h * jax.random.bernoulli(key, 1 - dropout, h.shape) / (1 - dropout)

        def block(h, p_keys):
            p, keys = p_keys
            first, second = (None, None) if keys is None else keys
            q, k, v = split(norm(h) @ p["qkv"])
            h = h + dropped(read(q, k, v, ahead) @ p["out"], first)
            return h + dropped(jax.nn.gelu(norm(h) @ p["up"]) @ p["down"], second), None

        keys = None if key is None else jax.random.split(key, 2 * depth).reshape(depth, 2)
        h, _ = jax.lax.scan(block, h, (params["blocks"], keys))
        return norm(h) @ params["last"] + params["bias"]

    def unroll(params, answer, z, cond=None):
        def place(state, at):
            h, keys, values = state
            i, z_i, bias = at
            ahead = jnp.where(jnp.arange(size) <= i, 0.0, -jnp.inf)[None]

            def block(h, p_k_v):
                p, k, v = p_k_v
                q, new_k, new_v = split(norm(h) @ p["qkv"])
                k = jax.lax.dynamic_update_slice(k, new_k, (0, i, 0))
                v = jax.lax.dynamic_update_slice(v, new_v, (0, i, 0))
                h = h + read(q, k, v, ahead) @ p["out"]
                return h + jax.nn.gelu(norm(h) @ p["up"]) @ p["down"], (k, v)

            h, (keys, values) = jax.lax.scan(
                block, h + params["places"][i], (params["blocks"], keys, values)
            )
            symbol, extra = answer((norm(h) @ params["last"])[0] + bias, z_i)
            return (params["symbols"][symbol][None], keys, values), (symbol, extra)

        kept = jnp.zeros((depth, heads, size, width // heads))
        first = (start(params, cond)[None], kept, kept)
        _, found = jax.lax.scan(place, first, (jnp.arange(size), z, params["bias"]))
        return found

    def split(qkv):
        """`f32[n, 3 width]` as queries, keys and values, `f32[heads, n, width / heads]` each."""
        return jnp.moveaxis(qkv.reshape(len(qkv), 3, heads, -1), 1, 0).swapaxes(1, 2)

    return Causal(init, apply, unroll)


def norm(h):
    """Rows with mean zero and variance one."""
    away = h - h.mean(-1, keepdims=True)
    return away * jax.lax.rsqrt((away**2).mean(-1, keepdims=True) + 1e-6)


def read(q, k, v, ahead):
    """`softmax(q k' / sqrt(d) + ahead) v` of each head, side by side: `f32[n, width]`."""
    shares = jax.nn.softmax(q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1]) + ahead)
    return (shares @ v).swapaxes(0, 1).reshape(q.shape[1], -1)
