"""The columns of the table: what a metric is called, which way it is better, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A metric of the table.

    name: its key in the dict of `evaluate`.  label: its heading.  group: the heading above.
    meaning: a sentence for the glossary.  digits: after the point.
    best: `low`, `high`, or nothing where neither is better.
    blind: the corruptions of real digits that it does not put in order as they grow (a test keeps
    this list true).
    """

    name: str
    label: str
    group: str = "other"
    meaning: str = ""
    digits: int = 3
    best: str = ""
    blind: tuple[str, ...] = ()


CORRUPTIONS = ("noise", "blur", "salt and pepper", "dropped classes")
KNOWN = (
    Column(
        "bits_per_dim",
        "bits per dimension",
        "likelihood",
        "-log₂ p(x) divided by the number of entries of x, averaged over the held-out half, "
        "with the standard error of that mean. For symbols it is the length of a code; for real "
        "numbers it comes from a density, depends on their units and may be negative.",
        best="low",
    ),
    Column(
        "mmd",
        "MMD",
        "distances",
        "The maximum mean discrepancy of the two samples themselves. Its Gaussian kernels have "
        "a quarter to four times the median distance of real examples.",
        4,
        "low",
    ),
    Column(
        "mmd_squared",
        "MMD²",
        "distances",
        "Its square between the laws, estimated without bias, so that it may fall a little below zero.",
        5,
        "low",
    ),
    Column(
        "sliced_wasserstein",
        "sliced W₂",
        "distances",
        "How far the mass of the samples must be moved to become the data, root mean square, "
        "seen along random directions.",
        best="low",
    ),
    Column(
        "wasserstein",
        "W₂",
        "distances",
        "The same in full, by the best one-to-one matching. Its floor falls slowly with the number "
        "of samples.",
        best="low",
    ),
    Column(
        "energy_distance",
        "energy distance",
        "distances",
        "Twice the mean distance from sample to example, less that among samples and that among "
        "examples; no kernel to choose. Without bias.",
        4,
        "low",
    ),
    Column(
        "two_sample",
        "two-sample test",
        "distances",
        "How often a forest of trees, trained on other examples, tells a sample from an "
        "example; 0.5 is guessing. It sees so much that it soon says 1 and ranks no further.",
        best="low",
        blind=("noise", "blur"),
    ),
    Column(
        "precision",
        "precision",
        "shares",
        "Samples that lie among the data: within the distance from some example to its fifth neighbour.",
        best="high",
        blind=("dropped classes",),
    ),
    Column(
        "recall",
        "recall",
        "shares",
        "Examples that lie among the samples in the same sense.",
        best="high",
        blind=("noise", "blur", "salt and pepper"),
    ),
    Column(
        "density",
        "density",
        "shares",
        "In how many examples' neighbourhoods a sample lies, over five: precision that one odd "
        "example cannot raise.",
        best="high",
        blind=("blur", "dropped classes"),
    ),
    Column(
        "coverage",
        "coverage",
        "shares",
        "Examples with a sample among their neighbours.",
        best="high",
    ),
    Column(
        "authenticity",
        "authenticity",
        "copies",
        "Samples farther from their nearest training example than that one is from the others: "
        "0 for copies. The floor is that of held-out data.",
    ),
    Column(
        "nearest_ratio",
        "nearest ratio",
        "copies",
        "The median distance from a sample to its nearest training example over that of held- "
        "out data: 0 for copies, 1 for new examples, more where samples stray.",
    ),
    Column(
        "inception_score",
        "inception score",
        "features",
        "How sure a classifier is of each sample, and how evenly it names the classes: from 1 "
        "to their number. It never sees the data.",
        2,
        "high",
    ),
)
FRECHET = Column(
    "FD",
    "Fréchet",
    "features",
    "The Fréchet distance of Gaussians fitted to what a network sees in samples and in "
    "data. Only with the weights of one certain network is it the FID of the literature, "
    "whose name it does not bear here.",
    2,
    "low",
)
KERNEL = Column(
    "KD",
    "kernel",
    "features",
    "The squared kernel distance of the same features, without bias.",
    4,
    "low",
)


def column_of(name: str) -> Column:
    """The column of a metric; one that nobody described is shown as it is."""
    for column in KNOWN:
        if column.name == name:
            return column
    for column in (FRECHET, KERNEL):
        if name.startswith(f"{column.name}-"):
            return column._replace(name=name, label=name)
    return Column(name, name.replace("_", " "))


# what stands beside a metric, or in a column of its own
BESIDE = ("_se", "_floor", "_kind", "_spread", "_low", "_high")
APART = {"seconds", "memory", "parameters", "seed", "seeds", "step", "bound_bits_per_dim", "count"}


def columns_of(measures: Sequence[dict[str, Any]]) -> list[Column]:
    """Every metric that one of the models has a number for, the known ones first, gathered by group."""
    names = dict.fromkeys(
        name
        for row in measures
        for name, value in row.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        if name not in APART and not name.endswith(BESIDE)
    )
    if any("bits_per_dim" in row for row in measures):
        names = dict.fromkeys(["bits_per_dim", *names])
    columns = [column_of(name) for name in names]
    groups = list(dict.fromkeys(["likelihood", *(column.group for column in columns)]))
    return sorted(columns, key=lambda column: groups.index(column.group))


def best_of(column: Column, measures: Sequence[dict[str, Any]]) -> float | None:
    """The best number of a column, if there are two to compare and one way is better."""
    values = [
        row[column.name] for row in measures if isinstance(row.get(column.name), (int, float))
    ]
    values = [value for value in values if value == value]
    if len(values) < 2 or not column.best:
        return None
    return min(values) if column.best == "low" else max(values)


def reasons(measures: dict[str, Any]) -> list[tuple[str, str]]:
    """`(metrics, why)` of all that was not asked, those of one reason together."""
    out: dict[str, list[str]] = {}
    for name, why in (measures.get("not_asked") or {}).items():
        out.setdefault(why, []).append(column_of(name).label)
    return [(", ".join(labels), why) for why, labels in out.items()]
