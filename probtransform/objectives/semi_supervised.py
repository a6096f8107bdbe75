"""A few labels: the bound of what has one, the sum over all of what has none, and a classifier of both."""

from __future__ import annotations

from collections.abc import Callable
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

    J is the `classified_bound`, in nats. Labels are `Maybe`, plain ones all there, None all absent.
    `accuracy` is that of q on the labels of the batch.

    Kingma et al. (2014), arXiv:1406.5298, equations 6 to 9 (M2), there with weight 0.1.
    Raises ValueError for a negative weight.
    """
    not_negative("semi_supervised", weight=weight)
    bound = classified_bound(conditional, classifier, classes, names)
    told = classify(lambda params, key, x: x, classifier, classes, names[1])

    def loss(params, carry, key, batch):
        nats = -each(bound, params, key, batch).mean()
        missed, (_, metrics) = told(params, carry, key, batch)
        return nats + weight * missed, (carry, {"nats": nats} | metrics)

    return loss


def classified_bound(
    conditional: Distribution[Bound],
    classifier: Network,
    classes: int,
    names: tuple[str, str] = ("labels", "classifier"),
):
    """`(params, key, x, cond) -> J` of ONE example, nats: the bound that a classifier makes.

    With `L(x, y)` the bound of `conditional` plus `log p(y)`, J is `L(x, y)` with the label y, and without
    one `U(x) = sum_y q(y|x) (L(x, y) - log q(y|x))`. `classifier.apply(params, x, cond)` gives the logits of
    q, those of the block `names[0]` are of p(y). Kingma et al. (2014), arXiv:1406.5298, equations 6 and 7.
    """
    labels, block = names

    def bound(params, key, x, cond=None):
        label = as_maybe(cond)
        nats = of_every_label(conditional, classes, params, key, x)
        joint = nats + jax.nn.log_softmax(params[labels])
        log_q = jax.nn.log_softmax(classifier.apply(params[block], x, None))
        known = one_hot(label, classes)
        q = jnp.where(label.present, known, jnp.exp(log_q))  # all on the label where there is one
        gained = q * (joint - jnp.where(label.present, 0, log_q))
        return jnp.sum(jnp.where(q == 0, 0, gained))  # another label's -inf does not count

    return bound


def classify(read: Callable[..., Any], classifier: Network, classes: int, block="classifier"):
    """`-mean log q(y|read(params, key, x))` over those that have a label: a player's loss."""

    def one(params, key, x, cond):
        label = as_maybe(cond)
        log_q = jax.nn.log_softmax(classifier.apply(params[block], read(params, key, x), None))
        right = log_q.argmax() == label.value
        return one_hot(label, classes) @ log_q, label.present, right

    def loss(params, carry, key, batch):
        told, present, right = each(one, params, key, batch)
        count = jnp.maximum(present.sum(), 1)
        accuracy = jnp.sum(right & present) / count
        return -told.sum() / count, (carry, {"accuracy": accuracy})

    return loss


def classify_codes(
    step: Transform[Any], classifier: Network, classes: int, names=("decoder", "classifier")
):
    """`-mean log q(y|z)` over those that have a label, z drawn by the encoder of `step`, which is held still.

    What is learned of all examples without labels serves the few that have one. Kingma et al. (2014),
    arXiv:1406.5298, section 2.1 (M1).
    """
    decoder, block = names

    def code(params, key, x):
        return step.inverse.fn(jax.lax.stop_gradient(params[decoder]), key, x, None)[0]

    return classify(code, classifier, classes, block)
