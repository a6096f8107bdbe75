"""Batches from a source too large for memory, in an order whose state can be saved."""

from __future__ import annotations

from typing import Any

import jax

from ..core.model import Batch

# Batches read ahead, and the threads that read them: enough to hide a disk, little memory.
AHEAD, THREADS = 8, 4


def stream(source, *, batch: int, seed: int, shard: tuple[int, int] | None = None) -> Any:
    """An endless Grain iterator of `Batch(x: [batch, *event], cond)` over a random-access source.

    `source` has `__len__` and `__getitem__`, and gives `(x, cond)`, or a dict with `x` and `cond`
    or `image` and `label` (as `tfds.data_source` does); the condition may be missing. Each epoch is
    shuffled anew, and batches run on over its end. `shard = (index, count)`, by default this
    process among all of JAX's, takes every `count`-th example of the one common order: shards are
    disjoint, and together they read what one process with `count` times the batch would read.

    The iterator's `get_state()` is a small dict of plain numbers, and `set_state` goes back to it.
    Raises ValueError if the batch does not fit in the source, or there is no such shard.
    """
    import grain

    index, count = shard or (jax.process_index(), jax.process_count())
    if not 0 <= index < count:
        raise ValueError(
            f"stream: got shard {index} of {count}, wanted 0 to {count - 1}; count shards from zero"
        )
    if not 1 <= batch <= len(source):
        raise ValueError(
            f"stream: got a batch of {batch} from {len(source)} examples, wanted between 1 and "
            f"{len(source)}; take a smaller batch"
        )
    examples = grain.MapDataset.source(source).shuffle(seed).repeat()[index::count]
    # Nothing is ever dropped from an endless row; rounding its length up would overflow.
    batches = examples.map(as_batch).batch(batch, drop_remainder=True)
    return iter(batches.to_iter_dataset(grain.ReadOptions(THREADS, AHEAD)))


def as_batch(example) -> Batch:
    """One example of a source as `Batch(x, cond)`.

    Raises ValueError for a dict without `x` or `image`.
    """
    if not isinstance(example, dict):
        return Batch(*example) if isinstance(example, tuple) else Batch(example)
    for x, cond in (("x", "cond"), ("image", "label")):
        if x in example:
            return Batch(example[x], example.get(cond))
    raise ValueError(
        f"stream: got an example with {sorted(example)}, wanted `x` and `cond` or `image` and "
        "`label`; rename its fields"
    )
