"""MoCo: the candidates are a queue of embeddings past, made by a slow average of the encoder."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from ...core import Network, each
from ...core.check import above_zero, positive
from ..flow_map.teacher import Teacher, moved, teacher_of
from .changes import Change
from .nt_xent import unit


class Queue(NamedTuple):
    """The slow encoder, and `rows: f32[length, d]`, embeddings of length one, the newest first."""

    teacher: Teacher
    rows: jax.Array


def moco(
    embed: Network, name: str, view: Change, temperature: float = 0.07, momentum: float = 0.999
):
    """`-mean_i log( exp(q_i k_i / T) / (exp(q_i k_i / T) + sum_j exp(q_i r_j / T)) )`: a player's loss.

    q is a view through `embed` with `params[name]`, k another through the slow encoder, r the queue
    `carry["queue"]`, made by `queue_of`. The slow encoder, which begins as the other does, follows first,
    `t <- momentum t + (1 - momentum) p`, and has no slope; then its k push the oldest out. As many candidates
    as the queue is long cost no more than a batch. It must be slow from the first step on: where k has left
    the rows behind, to move all q alike is enough to tell it from them, and nothing else is learned.

    He et al. (2020), arXiv:1911.05722, algorithm 1. Raises ValueError unless `momentum` is in [0, 1)
    and `temperature` above zero.
    """
    above_zero("moco", temperature=temperature)
    if not 0 <= momentum < 1:
        raise ValueError(f"moco: got momentum={momentum}, wanted one in [0, 1); 0.999 is usual")

    def loss(params, carry, key, batch):
        teacher, queue = carry["queue"]
        teacher = moved(teacher, params[name], momentum)

        def seen(by, key, x, cond):
            return unit(embed.apply(by, view(key, x)))

        one, other = jax.random.split(key)
        q = each(seen, params[name], one, batch)
        k = jax.lax.stop_gradient(each(seen, teacher.params, other, batch))
        own = jnp.sum(q * k, 1, keepdims=True)
        logits = jnp.concatenate([own, q @ queue.T], 1) / temperature
        value = jnp.mean(jax.nn.logsumexp(logits, 1) - logits[:, 0])
        rows = jnp.concatenate([k, queue])[: len(queue)]
        return value, (carry | {"queue": Queue(teacher, rows)}, {"contrast": value})

    return loss


def queue_of(embed: Network, length: int, size: int):
    """`key -> {"queue": Queue}`, what a model carries: `length` random directions of `size` numbers."""
    positive("queue_of", length=length, size=size)

    def carry(key):
        first, second = jax.random.split(key)
        rows = unit(jax.random.normal(second, (length, size)))
        return {"queue": Queue(teacher_of(embed)(first), rows)}

    return carry
