"""Conditions are data: an absent condition is a flag, never another trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

listener: ContextVar[set[int] | None] = ContextVar("listener", default=None)


class Maybe(NamedTuple):
    """A condition that may be absent: `value`, a pytree, and `present`, a boolean for each example."""

    value: Any
    present: Any


def drop(key, cond, rate: float) -> Maybe:
    """Hide the condition of ONE example with probability `rate`, as classifier-free guidance wants.

    Ho & Salimans (2022), arXiv:2207.12598.
    """
    value, present = cond if isinstance(cond, Maybe) else (cond, True)
    return Maybe(value, present & (jax.random.uniform(key) >= rate))


def one_hot(cond, classes: int):
    """A class label as a vector of `classes` numbers, zeros where it is absent.

    `classes == 0` means an unconditional model and gives an empty vector, whatever `cond` is, so
    that a network reads its condition the same way in either case. `cond` is a label or `Maybe` of
    one. Raises ValueError for a label out of range, or if a conditional model gets no condition. Within jit
    and vmap nobody can look at a label: one out of range gives NaNs there, which stop a training at its
    first step; `sample_many` and `log_density_many` look at those they are given.
    """
    if classes == 0:
        return jnp.zeros((0,))
    if cond is None:
        raise ValueError(
            f"condition: got None, wanted a class label 0..{classes - 1}; "
            "pass one, or Maybe(label, False) for none"
        )
    if (heard := listener.get()) is not None:
        heard.add(classes)
    refuse_unknown(cond, classes)
    value, present = cond if isinstance(cond, Maybe) else (cond, True)
    value, present = jnp.asarray(value, jnp.int32), jnp.asarray(present)
    vector = jax.nn.one_hot(value, classes) * present.astype(jnp.float32)
    known = (value >= 0) & (value < classes)
    return jnp.where(known | ~present.astype(bool), vector, jnp.nan)


@jax.tree_util.register_static
class Asked(frozenset[int]):
    """How many classes the labels of a program have: a result of jit that its trace alone tells."""


@contextmanager
def listening() -> Iterator[set[int]]:
    """The numbers of classes that `one_hot` is asked for meanwhile, as a program is traced."""
    heard: set[int] = set()
    token = listener.set(heard)
    try:
        yield heard
    finally:
        listener.reset(token)


def refuse_unknown(cond, classes: int) -> None:
    """Raise ValueError for a label, one or many, that is present and none of `classes`.

    Silent about a condition that is no label, and within a trace, where there are no values yet.
    """
    label = cond if isinstance(cond, Maybe) else Maybe(cond, True)
    traced = any(isinstance(part, jax.core.Tracer) for part in label)
    if traced or not jax.tree_util.all_leaves(label):
        return
    value, present = np.broadcast_arrays(label.value, np.asarray(label.present, bool))
    unknown = value[present & ((value < 0) | (value >= classes))]
    if unknown.size:
        raise ValueError(
            f"condition: got label {unknown[0]}, wanted 0..{classes - 1}; "
            "pass one of these, or Maybe(label, False) for none"
        )
