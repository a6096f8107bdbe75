"""Path lengths: a step in the latent should move the image as far, wherever and whichever way it goes."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Transform, each
from ..core.check import not_negative, positive


def path_length(
    loss,
    styles: Distribution[Any],
    step: Transform[Any],
    name: str,
    weight: float = 2.0,
    decay: float = 0.01,
    share: int = 4,
):
    """`loss + weight E (|J'y| - a)^2` with J the slope of `step` at w drawn from `styles`: a player's loss.

    y is a random image, normal, of unit length a place; `|J'y|^2` is the mean over the layers of
    `w: f32[layers, k]` of squared lengths. a follows their mean, `a <- a + decay (E |J'y| - a)`, in
    `carry["path_length"]`, zero at first. Only one in `share` of a batch is looked at: second
    derivatives are dear. `step` has the block `name`.

    Karras et al. (2019), arXiv:1912.04958. Raises ValueError unless the weight is finite and at least 0, and
    `share` at least 1.
    """
    not_negative("path_length", weight=weight)
    positive("path_length", share=share)

    def one(params, key, x, cond):
        draw, look, direction = jax.random.split(key, 3)
        w = styles.sample(params, draw, cond)
        return length(lambda w: step.forward(params[name], look, w, cond), w, direction)

    def paid(params, carry, key, batch):
        play, look = jax.random.split(key)
        value, (carry, metrics) = loss(params, carry, play, batch)
        few = jax.tree.map(lambda leaf: leaf[: -(-len(leaf) // share)], batch)
        lengths = each(one, params, look, few)
        aim = carry["path_length"]
        aim = aim + decay * (jax.lax.stop_gradient(lengths.mean()) - aim)
        penalty = jnp.mean((lengths - aim) ** 2)
        metrics |= {"path_length": lengths.mean(), "path_penalty": penalty}
        return value + weight * penalty, (carry | {"path_length": aim}, metrics)

    return paid


def length(image, w, key):
    """`|J'y|` of `image: f32[layers, k] -> f32[h, w, c]` at w, y drawn by the key."""
    seen, back = jax.vjp(image, w)
    y = jax.random.normal(key, seen.shape) / math.sqrt(math.prod(seen.shape[:-1]))
    (slope,) = back(y)
    return jnp.sqrt(jnp.mean(jnp.sum(slope**2, -1)) + 1e-12)
