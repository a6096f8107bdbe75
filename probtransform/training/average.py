"""The exponential moving average of parameters, as the last link of an optax chain."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from .learner import State


class Average(NamedTuple):
    """How many updates were seen, and the mean of the parameters after them."""

    count: Any
    mean: Any


def average(decay: float) -> optax.GradientTransformation:
    """Keep `mean <- d mean + (1 - d) params` with `d = min(decay, (1 + n) / (10 + n))` at update n.

    The last link of a chain, as it needs the final updates; the ramp forgets the initial
    parameters. Nobody else knows of it: `averaged(state)` finds it again.

    Example: `optax.chain(optax.adam(1e-3), average(0.999))`. Polyak & Juditsky (1992).
    """
    if not 0.0 <= decay < 1.0:
        raise ValueError(f"average: got decay={decay}, wanted a number in [0, 1); pass 0.999")

    def init(params):
        return Average(jnp.zeros((), jnp.int32), jax.tree.map(jnp.asarray, params))

    def update(updates, state, params=None):
        d = jnp.minimum(decay, (1 + state.count) / (10 + state.count))
        new = optax.apply_updates(params, updates)
        mean = jax.tree.map(lambda m, p: d * m + (1 - d) * p, state.mean, new)
        return updates, Average(state.count + 1, mean)

    return optax.GradientTransformation(init, update)


def averaged(state: State) -> dict[str, Any]:
    """The parameters of a state, averaged where a player's chain keeps an average."""
    params = dict(state.params)
    for opt in state.opt.values():
        for leaf in jax.tree.leaves(opt, is_leaf=lambda s: isinstance(s, Average)):
            if isinstance(leaf, Average):
                params |= leaf.mean
    return params
