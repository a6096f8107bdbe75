"""A transform's directions as functions of one point, and points at which to look at them."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


def any_key():
    """A deterministic map ignores it."""
    return jax.random.key(7)


def shaken(params):
    """Parameters at which nothing is zero, or the identity, by accident."""
    noise = np.random.default_rng(0)
    return jax.tree.map(
        lambda p: (
            jnp.asarray(p + 0.2 * noise.standard_normal(jnp.shape(p)), jnp.result_type(p))
            if is_real(p)
            else p
        ),
        params,
    )


def ways_of(transform):
    """`(params, cond, at) -> outcome` of one point, for every direction there is."""
    ways = {"forward": lambda p, c, z: transform.forward(p, any_key(), z, c)}
    if transform.inverse is not None:
        ways["inverse"] = lambda p, c, x: transform.inverse.fn(p, any_key(), x, c)
    if transform.joint is not None:
        ways["joint"] = lambda p, c, z: transform.joint(p, any_key(), z, c)
    return ways


def mapped(way, params, cond, at):
    return jax.vmap(partial(way, params, cond))(at)


def is_real(leaf) -> bool:
    return jnp.issubdtype(jnp.result_type(leaf), jnp.floating)


def doubled(leaf):
    leaf = np.asarray(leaf)
    return jnp.asarray(leaf.astype(np.float64) if leaf.dtype.kind == "f" else leaf)
