"""Kernels whose columns are paid to be orthogonal, whatever their lengths."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.tree_util import keystr

from ..core.check import not_negative


def orthogonal(loss, name: str, weight: float = 1e-4, spared: tuple[str, ...] = ()):
    """`loss + weight sum_W |W'W * (1 - I)|_F^2` over the kernels W of block `name`: a player's loss.

    Kernels are the parameters with two axes or more, read as matrices `[-1, outputs]`; those under a name in
    `spared` are left alone. The diagonal of W'W is free: lengths are not paid for, unlike the older
    `|W'W - I|^2`.

    Brock et al. (2018), arXiv:1809.11096. Raises ValueError unless the weight is finite and at least 0.
    """
    not_negative("orthogonal", weight=weight)

    def paid(params, carry, key, batch):
        value, (carry, metrics) = loss(params, carry, key, batch)
        leaves = jax.tree.leaves_with_path(params[name])
        found = sum(
            overlaps(leaf)
            for path, leaf in leaves
            if jnp.ndim(leaf) > 1 and not names_of(path) & set(spared)
        )
        return value + weight * found, (carry, metrics | {"orthogonal": found})

    return paid


def names_of(path) -> set[str]:
    """The names on the way to a parameter, places of lists among them."""
    return {keystr((part,), simple=True) for part in path}


def overlaps(w):
    """The sum of squares of the inner products of different columns of `w: f32[..., outputs]`."""
    w = w.reshape(-1, w.shape[-1])
    products = jnp.matmul(w.T, w, precision="highest")
    return jnp.sum((products * (1 - jnp.eye(len(products)))) ** 2)
