"""All pairs of many embeddings, a few rows at a time; the way back makes them again, and keeps none."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

PAIRS = 2**23  # similarities that are kept at once, 32 MiB in single precision


def over_rows(one_block: Callable, rows, columns: int):
    """`one_block(rows)` for blocks of the rows, its results one after another: `[n, ...]`.

    `rows` is a pytree with a leading axis of n, `columns` how many each row is compared with. A block holds
    no more than `PAIRS` pairs, and the slope of a block begins by making it again: memory is that of one
    block however many rows there are. A block that is all there is keeps what it made.
    Chen et al. (2016), arXiv:1604.06174; Gao et al. (2021), arXiv:2101.06983.
    """
    count = len(jax.tree.leaves(rows)[0])
    size = min(count, max(1, PAIRS // columns))
    blocks = -(-count // size)
    if blocks == 1:
        return one_block(jax.tree.map(jnp.asarray, rows))
    size = -(-count // blocks)
    filled = jax.tree.map(lambda r: jnp.asarray(r)[jnp.arange(blocks * size) % count], rows)
    stacked = jax.tree.map(lambda r: r.reshape(blocks, size, *r.shape[1:]), filled)
    made = jax.lax.map(jax.checkpoint(one_block), stacked)
    return jax.tree.map(lambda m: m.reshape(blocks * size, *m.shape[2:])[:count], made)
