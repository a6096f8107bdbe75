"""A transformer over tokens that all read one another."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Network, one_hot
from ..core.check import positive
from .bilinear import product
from .transformer import blocks, dense, norm


def patch_transformer(
    size: int,
    numbers: int,
    outputs: int,
    classes: int = 0,
    width: int = 64,
    depth: int = 2,
    heads: int = 4,
) -> Network:
    """`(f32[size, numbers], label) -> f32[size, outputs]`: every row from all tokens, zero at first.

    A token is embedded by a linear map, to which those of its place and of the label are added.

    Dosovitskiy et al. (2021), arXiv:2010.11929. Raises ValueError unless `heads` divides `width`.
    """
    positive("patch_transformer", size=size, numbers=numbers, outputs=outputs)
    body = blocks("patch_transformer", width, depth, heads)

    def init(key):
        first, places, labels, *rest = jax.random.split(key, 7)
        named = {"labels": 0.5 * jax.random.normal(labels, (classes, width))} if classes else {}
        return named | {
            "tokens": dense(first, numbers, width),
            "places": 0.5 * jax.random.normal(places, (size, width)),
            "blocks": body.init(rest),
            "last": jnp.zeros((width, outputs)),
            "bias": jnp.zeros((size, outputs)),
        }

    def apply(params, x, cond=None):
        h = product(x, params["tokens"]) + params["places"]
        if classes:
            h = h + one_hot(cond, classes) @ params["labels"]
        return product(norm(body.apply(params["blocks"], h, 0.0)), params["last"]) + params["bias"]

    return Network(init, apply)
