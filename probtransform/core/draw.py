"""What users ask of a distribution: samples and log-densities, one or many."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from .density import Density
from .distribution import Distribution, joint_of


def sample(distribution: Distribution[Any], params, key, cond=None):
    """ONE draw: `x: [*event]`."""
    return distribution.sample(params, key, cond)


def log_density(distribution: Distribution[Density], params, key, x, cond=None):
    """The claim on log p(x) of ONE example, in nats; its kind is `type(distribution.density)`.

    Raises ValueError if the distribution makes no claim.
    """
    return claimed(distribution).density.fn(params, key, x, cond)


def sample_and_log_density(distribution: Distribution[Density], params, key, cond=None):
    """ONE draw and its log-density, `(x, scalar)`, never through a slow inverse where there is a way around.

    Raises ValueError if the distribution makes no claim.
    """
    return joint_of(claimed(distribution))(params, key, cond)


def sample_many(distribution: Distribution[Any], params, key, count: int, cond=None, chunk=1000):
    """`count` draws `[count, *event]`, `chunk` at a time so that memory stays bounded.

    `cond` is None or a pytree with a leading axis of `count`. The draws do not depend on `chunk`.
    Raises ValueError if `count` or `chunk` is less than one, or `cond` has another length.
    """
    return in_chunks(distribution.sample, count, chunk)(params, keys_for(key, count), cond)


def log_density_many(distribution: Distribution[Density], params, key, xs, cond=None, chunk=1000):
    """The claim on log p of each of `xs: [count, *event]`, `chunk` at a time: `[count]`, in nats."""
    density = claimed(distribution).density.fn
    count = len(jax.tree.leaves(xs)[0])

    def one(params, key, x_cond):
        return density(params, key, *x_cond)

    return in_chunks(one, count, chunk)(params, keys_for(key, count), (xs, cond))


def claimed(distribution: Distribution[Any]) -> Distribution[Density]:
    if distribution.density is None:
        raise ValueError(
            "log_density: got a distribution without a density, wanted one that claims Exact, Bound or "
            "Unnormalized; a step without an inverse can only be sampled"
        )
    return distribution


def keys_for(key, count: int):
    """One key an example, each folded in from its own index: example i never depends on `count`."""
    if count < 1:
        raise ValueError(f"count: got {count}, wanted at least 1; ask for one draw or more")
    return jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(count))


def in_chunks(one, count: int, chunk: int):
    """Map `one(params, key, a)` over the leading axis of `(keys, a)`, `chunk` examples at a time."""
    if chunk < 1:
        raise ValueError(f"chunk: got {chunk}, wanted at least 1; pass how many fit in memory")
    size = min(chunk, count)

    def mapped(params, keys, a):
        for leaf in jax.tree.leaves(a):
            if len(leaf) != count:
                raise ValueError(
                    f"cond: got {len(leaf)} conditions, wanted {count}, one an example; repeat or cut it"
                )
        return jax.lax.map(lambda ka: one(params, *ka), (keys, a), batch_size=size)

    return mapped
