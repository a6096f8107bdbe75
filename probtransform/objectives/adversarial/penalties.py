"""Penalties that keep a critic smooth: each `(judge, key, real: Batch, fake: Batch) -> scalar`.

`judge(batch)` are logits `f32[b]`, one an example; its slope is the gradient in that example's own entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core.check import not_negative

Penalty = Callable[..., Any]


def r1(gamma: float) -> Penalty:
    """`gamma/2 E |grad D(x)|^2` over data. Mescheder et al. (2018), arXiv:1801.04406.

    Raises ValueError unless gamma is finite and at least 0, as all penalties do for their numbers.
    """
    not_negative("r1", gamma=gamma)
    return paid(gamma / 2, lambda judge, key, real, fake: jnp.mean(squared_slopes(judge, real)))


def r2(gamma: float) -> Penalty:
    """`gamma/2 E |grad D(G(z))|^2` over samples. Mescheder et al. (2018), arXiv:1801.04406."""
    not_negative("r2", gamma=gamma)
    return paid(gamma / 2, lambda judge, key, real, fake: jnp.mean(squared_slopes(judge, fake)))


def gradient_penalty(weight: float = 10.0) -> Penalty:
    """`weight E (|grad D(y)| - 1)^2`, y on the line from a sample to a datum, each at a place of its own.

    Two-sided: slopes below one are paid for too. Gulrajani et al. (2017), arXiv:1704.00028.
    """
    not_negative("gradient_penalty", weight=weight)

    def cost(judge, key, real, fake):
        a = jax.random.uniform(key, (len(real.x),) + (1,) * (real.x.ndim - 1))
        return unit_slope(judge, real._replace(x=a * real.x + (1 - a) * fake.x))

    return paid(weight, cost)


def dragan(weight: float = 10.0, scale: float = 0.5) -> Penalty:
    """`weight E (|grad D(x + c u)| - 1)^2` about the data: u normal, c = `scale` of their deviation.

    Kodali et al. (2017), arXiv:1705.07215.
    """
    not_negative("dragan", weight=weight, scale=scale)

    def cost(judge, key, real, fake):
        noise = scale * jnp.std(real.x) * jax.random.normal(key, real.x.shape)
        return unit_slope(judge, real._replace(x=real.x + noise))

    return paid(weight, cost)


def paid(weight: float, cost: Penalty) -> Penalty:
    """`weight * cost`; where the weight is known to be zero no slope is asked for."""
    if not isinstance(weight, jax.core.Tracer) and weight == 0:
        return lambda judge, key, real, fake: jnp.zeros(())
    return lambda judge, key, real, fake: weight * cost(judge, key, real, fake)


def squared_slopes(judge, batch):
    """`|grad D(x_i)|^2` of every example, summed over all its entries: `f32[b]`."""
    slopes = jax.grad(lambda x: judge(batch._replace(x=x)).sum())(batch.x)
    return jnp.sum(slopes.reshape(len(slopes), -1) ** 2, -1)


def unit_slope(judge, batch):
    """`E (|grad D| - 1)^2`; where a slope is zero its norm has none, and counts as level."""
    squared = squared_slopes(judge, batch)
    level = squared == 0
    norm = jnp.where(level, 0.0, jnp.sqrt(jnp.where(level, 1.0, squared)))
    return jnp.mean((norm - 1) ** 2)
