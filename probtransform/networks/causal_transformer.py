"""A causal transformer over symbols or tokens, run whole, or one by one with keys and values kept."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Causal, Network, one_hot
from ..core.check import positive
from .bilinear import product
from .transformer import behind, blocks, dense, norm


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
    positive("causal_transformer", size=size, levels=levels, outputs=outputs)
    table = Network(
        lambda key: 0.5 * jax.random.normal(key, (levels, width)),
        lambda params, symbol: params[symbol],
    )
    return over("causal_transformer", table, size, outputs, classes, width, depth, heads, dropout)


def token_transformer(
    size: int,
    numbers: int,
    outputs: int,
    classes: int = 0,
    width: int = 64,
    depth: int = 2,
    heads: int = 4,
) -> Causal:
    """`causal_transformer` of tokens `f32[size, numbers]`, each embedded by a linear map.

    Zhai et al. (2024), arXiv:2412.06329. Raises ValueError unless `heads` divides `width`.
    """
    positive("token_transformer", size=size, numbers=numbers, outputs=outputs)
    linear = Network(lambda key: dense(key, numbers, width), lambda params, token: token @ params)
    return over("token_transformer", linear, size, outputs, classes, width, depth, heads)


def over(
    who: str,
    embedding: Network,
    size: int,
    outputs: int,
    classes: int,
    width: int,
    depth: int,
    heads: int,
    dropout: float = 0.0,
) -> Causal:
    """The causal transformer of whatever `embedding` makes `f32[width]` of."""
    body = blocks(who, width, depth, heads, dropout)

    def init(key):
        first, places, starts, *rest = jax.random.split(key, 8)
        return {
            "symbols": embedding.init(first),
            "places": 0.5 * jax.random.normal(places, (size, width)),
            "start": 0.5 * jax.random.normal(starts, (max(1, classes), width)),
            "blocks": body.init(rest[:4]),
            "last": jnp.zeros((width, outputs)),
            "bias": jnp.zeros((size, outputs)),
        }

    def start(params, cond):
        return one_hot(cond, classes) @ params["start"] if classes else params["start"][0]

    def apply(params, x, cond=None, key=None):
        before = jax.vmap(embedding.apply, (None, 0))(params["symbols"], x[:-1])
        h = jnp.concatenate([start(params, cond)[None], before]) + params["places"]
        h = body.apply(params["blocks"], h, behind(size), key)
        return product(norm(h), params["last"]) + params["bias"]

    def unroll(params, answer, z, cond=None):
        def place(state, at):
            h, kept = state
            i, z_i, bias = at
            h, kept = body.step(params["blocks"], h + params["places"][i], kept, i)
            x_i, extra = answer((norm(h) @ params["last"])[0] + bias, z_i)
            return (embedding.apply(params["symbols"], x_i)[None], kept), (x_i, extra)

        first = (start(params, cond)[None], body.empty(size))
        return jax.lax.scan(place, first, (jnp.arange(size), z, params["bias"]))[1]

    return Causal(init, apply, unroll)
