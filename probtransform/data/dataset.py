"""A data set in memory: what one example looks like, its two parts, and what was done to it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.model import Batch, Event

FEWEST = 10


class Data(NamedTuple):
    """Examples to learn from and others to judge by, as numpy arrays.

    name:  what `load` was asked for.
    event: what one example looks like; `classes` counts the labels, 0 without them.
    train: `Batch(x, cond)`, `x: uint8 [N, *shape]` if the event has levels, else float32;
           `cond: int32 [N]`, or None without labels.
    test:  the same, of examples that are in no way used to scale or train.
    about: numbers and words that JSON can hold: source, split, seed, scaling, levels, counts.
    """

    name: str
    event: Event
    train: Batch
    test: Batch
    about: dict[str, Any]


def of_bytes(name, train: Batch, test: Batch, levels: int, labels: list[str], about) -> Data:
    """Data whose examples are integers `0 .. levels - 1`: they stay as they are."""
    event = Event(train.x.shape[1:], levels, len(labels))
    return Data(name, event, train, test, {**about, "labels": labels, "scaling": None})


def of_reals(name, train: Batch, test: Batch, columns: list[str], labels: list[str], about) -> Data:
    """Data whose examples are real: each column (the last axis) gets mean 0 and deviation 1.

    `x <- (x - mean) / scale`, with the train part's mean and deviation, both kept in `about`.
    Raises ValueError if a column of the train part never varies.
    """
    axes = tuple(range(train.x.ndim - 1))
    still = np.flatnonzero(train.x.max(axes) == train.x.min(axes))
    if still.size:
        raise ValueError(
            f"{name}: got columns {[columns[i] for i in still]} that never vary, wanted columns "
            "with some spread; leave them out"
        )
    with np.errstate(over="ignore"):  # refused below
        mean, scale = train.x.mean(axes, np.float64), train.x.std(axes, np.float64)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(
            f"{name}: got columns of deviation {scale.min():g} to {scale.max():g}, wanted numbers that "
            "float64 can square; choose another unit"
        )

    def standardised(part: Batch) -> Batch:
        return part._replace(x=((part.x - mean) / scale).astype(np.float32))

    scaling = {"columns": columns, "mean": mean.tolist(), "scale": scale.tolist()}
    return Data(
        name,
        Event(train.x.shape[1:], None, len(labels)),
        standardised(train),
        standardised(test),
        {**about, "labels": labels, "scaling": scaling},
    )


def finite(name: str, x: np.ndarray) -> np.ndarray:
    """`x: [N, ...]` itself. Raises ValueError if it holds values that are not finite."""
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        raise ValueError(
            f"{name}: got {len(bad)} values that are NaN or infinite, the first in row {bad[0, 0]} "
            "(counting from 0), wanted finite numbers; mend or drop those rows"
        )
    return x


def divided(name: str, x: np.ndarray, y: np.ndarray | None, seed: int) -> tuple[Batch, Batch, dict]:
    """Four fifths to train, one fifth to test, and the rule that chose them.

    Raises ValueError if there are fewer than ten examples.
    """
    if len(x) < FEWEST:
        raise ValueError(
            f"{name}: got {len(x)} examples, wanted at least {FEWEST}, to train on four fifths and "
            "test on the rest; bring more"
        )
    shuffled, cut = np.random.default_rng(seed).permutation(len(x)), len(x) * 4 // 5

    def part(rows) -> Batch:
        return Batch(x[rows], None if y is None else y[rows])

    rule = f"the first {cut} of numpy.random.default_rng({seed}).permutation({len(x)}) train"
    return part(shuffled[:cut]), part(shuffled[cut:]), {"split": rule, "seed": seed}


def encoded(name: str, y: np.ndarray | None, count: int) -> tuple[np.ndarray | None, list[str]]:
    """Labels of any kind as `int32 0 .. C-1`, in the order of their sorted names, and those names.

    Raises ValueError unless there is one whole number or word for each of `count` examples.
    """
    if y is None:
        return None, []
    if y.shape != (count,):
        raise ValueError(
            f"{name}: got labels of shape {y.shape} for {count} examples, wanted ({count},); "
            "give each example one label"
        )
    if y.dtype.kind not in "biuU" and not (y.dtype.kind == "f" and np.all(y == np.round(y))):
        raise ValueError(
            f"{name}: got labels of type {y.dtype}, or with gaps, wanted a whole number or a word "
            "for every example; call a column of reals something else than `label`"
        )
    values, indices = np.unique(y.astype(int) if y.dtype.kind == "f" else y, return_inverse=True)
    return indices.astype(np.int32), [str(value) for value in values]
