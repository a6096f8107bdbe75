"""Conditions are data: an absent condition is a flag, never another trace."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


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
    one. A label out of range gives NaNs, which stop a training at its first step; a sample of it, once
    rounded to levels, only looks wrong. To say that there is none is what `Maybe` is for. Raises ValueError
    if a conditional model gets no condition.
    """
    if classes == 0:
        return jnp.zeros((0,))
    if cond is None:
        raise ValueError(
            f"condition: got None, wanted a class label 0..{classes - 1}; "
            "pass one, or Maybe(label, False) for none"
        )
    value, present = cond if isinstance(cond, Maybe) else (cond, True)
    value, present = jnp.asarray(value, jnp.int32), jnp.asarray(present)
    vector = jax.nn.one_hot(value, classes) * present.astype(jnp.float32)
    known = (value >= 0) & (value < classes)
    return jnp.where(known | ~present.astype(bool), vector, jnp.nan)
