"""The order of examples as a pure function of the step: there is no iterator to save."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def order(seed: int, step, batch: int, size: int) -> np.ndarray:
    """Which of `size` examples the batch of `step` holds: `int32 [batch]`, or `[*steps, batch]`.

    Epoch `e` is the order `numpy.random.default_rng((seed, e)).permutation(size)`, cut into
    `size // batch` batches; its incomplete last batch is dropped. `step` counts from zero over all
    epochs, one number or an array of them, as in `order(0, np.arange(100, 200), 64, 1437)`.
    Raises ValueError if a batch does not fit in the data, or a number is negative.
    """
    if not 1 <= batch <= size:
        raise ValueError(
            f"order: got a batch of {batch} from {size} examples, wanted between 1 and {size}; "
            "take a smaller batch"
        )
    steps = np.asarray(step)
    if seed < 0 or steps.min(initial=0) < 0:
        raise ValueError(
            f"order: got seed {seed} and step {steps.min(initial=0)}, wanted neither below zero; "
            "count from zero"
        )
    epochs, places = np.divmod(steps, size // batch)
    rows = places[..., None] * batch + np.arange(batch)
    indices = np.empty(rows.shape, np.int32)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        indices[here] = permutation(seed, int(epoch), size)[rows[here]]
    return indices


@lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, size: int) -> np.ndarray:
    shuffled = np.random.default_rng((seed, epoch)).permutation(size).astype(np.int32)
    shuffled.flags.writeable = False
    return shuffled
