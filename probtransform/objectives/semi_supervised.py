"""A few labels: the bound of what has one, the sum over all of what has none, and a classifier of both."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..core import Bound, Distribution, Network, Transform, each, one_hot
from ..core.check import not_negative
from ..distributions.over_labels import as_maybe, of_every_label


def semi_supervised(
    conditional: Distribution[Bound],
    classifier: Network,
    classes: int,
    weight: float = 1.0,
    names: tuple[str, str] = ("labels", "classifier"),
):
    """`-mean J - weight * mean log q(y|x)`, the second mean over those that have a label: a player's loss.

    With `L(x, y)` the bound of `conditional` plus `log p(y)`, J is `L(x, y)` with the label y, and without
    one `U(x) = sum_y q(y|x) (L(x, y) - log q(y|x))`, in nats. `classifier.apply(params, x, cond)` gives the
    logits of q, those of the block `names[0]` are of p(y). Labels are `Maybe`, plain ones all there, None all
    absent. `accuracy` is that of q on the labels of the batch.

    Kingma et al. (2014), arXiv:1406.5298, equations 6 to 9 (M2), there with weight 0.1.
    Raises ValueError for a negative weight.
    """
    not_negative("semi_supervised", weight=weight)
    labels, block = names

    def one(params, key, x, cond):
        label = as_maybe(cond)
        nats = of_every_label(conditional, classes, params, key, x)
        joint = nats + jax.nn.log_softmax(params[labels])
        log_q = jax.nn.log_softmax(classifier.apply(params[block], x, None))
        known = one_hot(label, classes)
        q = jnp.where(label.present, known, jnp.exp(log_q))  # all on the label where there is one
        gained = q * (joint - jnp.where(label.present, 0, log_q))
        bound = jnp.sum(jnp.where(q == 0, 0, gained))  # another label's -inf does not count
        return bound, known @ log_q, label.present, log_q.argmax() == label.value

    def loss(params, carry, key, batch):
        bound, told, present, right = each(one, params, key, batch)
        count = jnp.maximum(present.sum(), 1)
        nats = -bound.mean()
        metrics = {"nats": nats, "accuracy": jnp.sum(right & present) / count}
        return nats - weight * told.sum() / count, (carry, metrics)

    return loss


def classify_codes(
    step: Transform[Any], classifier: Network, classes: int, names=("decoder", "classifier")
):
    """`-mean log q(y|z)` over those that have a label, z drawn by the encoder of `step`, which is held still.

    What is learned of all examples without labels serves the few that have one. Kingma et al. (2014),
    arXiv:1406.5298, section 2.1 (M1).
    """
    decoder, block = names

    def one(params, key, x, cond):
        label = as_maybe(cond)
        z, _ = step.inverse.fn(jax.lax.stop_gradient(params[decoder]), key, x, None)
        log_q = jax.nn.log_softmax(classifier.apply(params[block], z, None))
        right = log_q.argmax() == label.value
        return one_hot(label, classes) @ log_q, label.present, right

    def loss(params, carry, key, batch):
        told, present, right = each(one, params, key, batch)
        count = jnp.maximum(present.sum(), 1)
        accuracy = jnp.sum(right & present) / count
        return -told.sum() / count, (carry, {"accuracy": accuracy})

    return loss
