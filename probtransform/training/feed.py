"""How batches reach the fused steps: picked on the device, or streamed and stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch
from ..data.order import order

LARGE = 10_000  # examples to prepare a model with, at most


class Feed(NamedTuple):
    """read: `(step, count, room) -> source`, what `count` steps from `step` need, in `room` places.
    pick: `(source, i) -> Batch` of the i-th of them, traced.
    sample: `() -> Batch`, a large one to prepare a model with.
    position, seek: where the data stand, as JSON, and back there."""

    read: Callable[[int, int, int], Any]
    pick: Callable[[Any, Any], Batch]
    sample: Callable[[], Batch]
    position: Callable[[], Any]
    seek: Callable[[Any], None]


def resident(data: Batch, batch: int, seeds: list[int]) -> Feed:
    """Data that fit on the device: only indices travel, in an order that is a function of the step.

    `data.x: [size, *event]`; every epoch is a new permutation, one for each seed. With several
    seeds batches are `[seeds, batch, ...]`.
    """
    size = len(jax.tree.leaves(data.x)[0])
    arrays = jax.tree.map(jnp.asarray, data)

    def read(step, count, room):
        steps = np.arange(step, step + count)
        rows = np.stack([order(seed, steps, batch, size) for seed in seeds], 1)
        index = np.zeros((room, *rows.shape[1:]), np.int32)
        index[:count] = rows
        return arrays, index if len(seeds) > 1 else index[:, 0]

    def pick(source, i):
        arrays, index = source
        return jax.tree.map(lambda a: a[index[i]], arrays)

    def sample():
        return jax.tree.map(lambda a: a[:LARGE], arrays)

    return Feed(read, pick, sample, lambda: None, lambda position: None)


def streamed(iterator: Any, seeds: list[int]) -> Feed:
    """Data from an iterator of `Batch` with `get_state` and `set_state`, such as Grain's."""
    start = iterator.get_state()

    def read(step, count, room):
        batches = [next(iterator) for _ in range(count)]
        batches += [batches[-1]] * (room - count)
        stacked = jax.tree.map(lambda *rows: np.stack(rows), *batches)
        if len(seeds) == 1:
            return stacked
        return jax.tree.map(lambda a: np.repeat(a[:, None], len(seeds), 1), stacked)

    def pick(source, i):
        return jax.tree.map(lambda a: a[i], source)

    def sample():
        first = next(iterator)
        few = [next(iterator) for _ in range(LARGE // len(first.x))]
        iterator.set_state(start)
        return jax.tree.map(lambda *rows: np.concatenate(rows)[:LARGE], first, *few)

    def position():
        state = iterator.get_state()
        return state.decode() if isinstance(state, bytes) else state

    def seek(position):
        iterator.set_state(position.encode() if isinstance(start, bytes) else position)

    return Feed(read, pick, sample, position, seek)
