"""Adaptive augmentation: a critic that begins to know its data by heart sees it changed, more and more."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..contrastive.changes import mirrored

MOST = 0.7  # at 3/4 the finest pattern is lost on average, beyond it comes back turned over


class Augmentation(NamedTuple):
    """What is done to data and samples alike before the critic sees them.

    init:   `key -> state`, what a model keeps in `carry["augment"]`.
    apply:  `(state, key, batch) -> batch`, differentiable in `batch.x`.
    update: `(state, logits on data) -> state`, after the critic's loss.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]
    update: Callable[..., Any]


def adaptive(shape: tuple[int, ...], target: float = 0.6, horizon: int = 500_000) -> Augmentation:
    """Each change with a probability p, which rises while `E sign D(x)` on data is above `target`.

    Changes of an image `f32[h, w, c]` (or flat, `f32[h*w*c]`): mirrored, moved, brighter, of another
    contrast, a part covered. The state is p: 0 at first, `1/horizon` more or less for each example seen,
    at most 0.7. There no change leaks: laws that agree after it agree before it.
    The sign wants logits with a zero of their own. A paired game has none; there p is set by hand:
    `adaptive(shape)._replace(init=lambda key: jnp.array(0.3), update=lambda p, logits: p)`.

    Karras et al. (2020), arXiv:2006.06676. Raises ValueError for a shape that is no image, or numbers
    out of range.
    """
    if len(shape) != 3:
        raise ValueError(
            f"adaptive: got examples of shape {shape}, wanted images (height, width, channels); vectors "
            "have no changes that leave their kind alone: play without `augment`"
        )
    if not -1 < target < 1 or horizon < 1:
        raise ValueError(
            f"adaptive: got target={target} and horizon={horizon}, wanted a mean of signs in (-1, 1) and at "
            "least 1 example; change it"
        )

    def apply(p, key, batch):
        keys = jax.random.split(key, len(batch.x))
        images = batch.x.reshape(-1, *shape)
        return batch._replace(x=jax.vmap(partial(changed, p))(keys, images).reshape(batch.x.shape))

    def update(p, logits):
        rise = jnp.sign(jnp.mean(jnp.sign(logits)) - target)
        return jnp.clip(p + rise * logits.size / horizon, 0.0, MOST)

    return Augmentation(lambda key: jnp.zeros(()), apply, update)


def changed(p, key, x):
    """One image, each change drawn with probability p."""
    for i, change in enumerate((mirrored, moved, brighter, contrasted, covered)):
        gate, how = jax.random.split(jax.random.fold_in(key, i))
        x = jnp.where(jax.random.uniform(gate) < p, change(how, x), x)
    return x


def moved(key, x):
    """By up to an eighth of height and width, at least a pixel; what comes in is a reflection."""
    h, w, c = x.shape
    edge = (math.ceil(h / 8), math.ceil(w / 8))
    padded = jnp.pad(x, [(e, e) for e in edge] + [(0, 0)], mode="reflect")
    to = [
        jax.random.randint(k, (), 0, 2 * e + 1)
        for k, e in zip(jax.random.split(key), edge, strict=True)
    ]
    return jax.lax.dynamic_slice(padded, (*to, 0), (h, w, c))


def brighter(key, x):
    return x + 0.2 * jax.random.normal(key)


def contrasted(key, x):
    return x * jnp.exp2(0.5 * jax.random.normal(key))


def covered(key, x):
    """A rectangle of half the height and width about a uniform centre becomes zero."""
    inside = jnp.ones(x.shape[:2], bool)
    for axis, (k, n) in enumerate(zip(jax.random.split(key), x.shape[:2], strict=True)):
        centre = jax.random.uniform(k, maxval=n)
        near = jnp.abs(jnp.arange(n) + 0.5 - centre) < n / 4
        inside &= near[:, None] if axis == 0 else near
    return jnp.where(inside[..., None], 0.0, x)
