"""A classifier that is an energy too: labels by cross-entropy, examples by the contrast of chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Maybe, Network, each, one_hot
from ..core.check import not_negative, positive
from ..distributions.over_labels import as_maybe


def joint_energy(
    contrast: Callable[..., Any], logits: Network, name: str, classes: int, weight: float = 1.0
):
    """`weight * contrast - mean log p(y|x)`, of `-log p(x, y) = -log p(x) - log p(y|x)`. A player's loss.

    `logits.apply(params[name], x)` is `f(x): f32[classes]`; `p(y|x)` its softmax, and `contrast` a loss of
    the energy `-log sum_y exp f(x)[y]`, which is given the batch without its labels. The mean is over those
    that have one: plain ones all have, `Maybe` some, None none. `accuracy` is of the labels of the batch.

    Grathwohl et al. (2020), arXiv:1912.03263. Raises ValueError for no classes or a negative weight.
    """
    positive("joint_energy", classes=classes)
    not_negative("joint_energy", weight=weight)

    def told(params, key, x, cond):
        label = as_maybe(cond)
        f = logits.apply(params[name], x)
        nats = one_hot(label, classes) @ jax.nn.log_softmax(f)
        return nats, label.present, label.present & (f.argmax() == label.value)

    def loss(params, carry, key, batch):
        absent = jnp.zeros(len(batch.x), bool)
        unlabelled = batch._replace(cond=Maybe(jnp.zeros(len(batch.x), jnp.int32), absent))
        value, (carry, metrics) = contrast(params, carry, key, unlabelled)
        nats, present, right = each(told, params, key, batch)
        count = jnp.maximum(present.sum(), 1)
        found = {"cross_entropy": -nats.sum() / count, "accuracy": right.sum() / count}
        return weight * value + found["cross_entropy"], (carry, metrics | found)

    return loss
