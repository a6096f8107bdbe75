"""What seeds say together: their mean, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def spread(values: Sequence[float]) -> dict[str, float]:
    """The mean over seeds and its standard error, `s / sqrt(n)`; of one seed none is known."""
    n, found = len(values), {"mean": float(np.mean(values))}
    if n > 1:
        found["se"] = float(np.std(values, ddof=1)) / math.sqrt(n)
    return found


def of_rows(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """The spread of every number of which each seed has one row."""
    return {name: spread([row[name] for row in rows]) for name in rows[0]}


def shown(values: Sequence[float]) -> str:
    """`mean +- se`, to the digits that the error leaves."""
    found = spread(values)
    if "se" not in found:
        return f"{found['mean']:.6g}"
    places = max(0, 1 - math.floor(math.log10(found["se"]))) if found["se"] > 0 else 3
    return f"{found['mean']:.{places}f} +- {found['se']:.{places}f}"
