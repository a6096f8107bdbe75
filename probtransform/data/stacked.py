"""Stacked images: three of one data set as the channels of one, whose modes are counted by the thousand."""

from __future__ import annotations

import numpy as np

from ..core.model import Batch, Event
from .dataset import Data

CHANNELS = 3


def stacked(data: Data, train: int = 50_000, test: int = 10_000, seed: int = 0) -> Data:
    """Images `[h, w, 3]` whose channels are drawn evenly, with replacement, from images `[h, w, 1]`.

    Of ten classes come a thousand modes: the label is `100 a + 10 b + c` for channels of the labels a, b, c,
    if `data` has labels. Train images are stacked of train images alone, and test images of test images.

    Example: `stacked(load("digits")).train.x` is `uint8 [50000, 8, 8, 3]` with 17 levels.
    Metz et al. (2016), arXiv:1611.02163. Raises ValueError for examples that are no images of one channel.
    """
    shape, levels, classes = data.event
    if len(shape) != 3 or shape[-1] != 1:
        raise ValueError(
            f"stacked: got examples of shape {shape}, wanted images (height, width, 1); give each channel "
            "by itself"
        )
    draw = np.random.default_rng(seed)

    def drawn(part: Batch, count: int) -> Batch:
        rows = draw.integers(len(part.x), size=(count, CHANNELS))
        x = np.concatenate([np.asarray(part.x)[rows[:, i]] for i in range(CHANNELS)], -1)
        if part.cond is None:
            return Batch(x)
        places = classes ** np.arange(CHANNELS)[::-1]
        return Batch(x, (np.asarray(part.cond)[rows] @ places).astype(np.int32))

    names = data.about["labels"]
    about = data.about | {
        "name": f"stacked_{data.name}",
        "split": f"{CHANNELS} images a row of each part, numpy.random.default_rng({seed}).integers",
        "seed": seed,
        "labels": [f"{a} {b} {c}" for a in names for b in names for c in names] if classes else [],
        "classes": classes**CHANNELS if classes else 0,
        "train": train,
        "test": test,
    }
    event = Event((*shape[:2], CHANNELS), levels, about["classes"])
    return Data(about["name"], event, drawn(data.train, train), drawn(data.test, test), about)
