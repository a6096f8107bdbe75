"""A teacher that follows its student: an average of parameters, kept in `carry`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ...core import Network


class Teacher(NamedTuple):
    """How many updates it has seen, and its parameters."""

    count: Any
    params: Any


def teacher_of(network: Network) -> Callable[..., Teacher]:
    """`key -> Teacher`, a model's `carry`; what it holds before the first update is never used."""
    return lambda key: Teacher(jnp.zeros((), jnp.int32), network.init(key))


def followed(teacher: Teacher, params, decay: float) -> Teacher:
    """`moved` with `d = min(decay, n / (9 + n))` at update n: while few, the mean of all so far."""
    return moved(teacher, params, jnp.minimum(decay, teacher.count / (9 + teacher.count)))


def moved(teacher: Teacher, params, d) -> Teacher:
    """`teacher <- d teacher + (1 - d) params`, and one update more; at the first, `params` themselves."""
    d = jnp.where(teacher.count == 0, 0, d)
    fixed = jax.lax.stop_gradient(params)
    mean = jax.tree.map(lambda a, b: d * a + (1 - d) * b, teacher.params, fixed)
    return Teacher(teacher.count + 1, mean)
