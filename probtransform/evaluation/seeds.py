"""Numbers of several runs that differ in their seeds alone, as one row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def over_seeds(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means of what `evaluate` found of each run, and `<name>_spread`, the standard error of each mean.

    A metric that one run was not asked is not asked of all; of `_se` and `_floor` the mean is all there is.
    One row stays as it is. Raises ValueError if there are none.
    """
    if not rows:
        raise ValueError("over_seeds: got no rows, wanted one or more; evaluate a run first")
    if len(rows) == 1:
        return dict(rows[0])
    out: dict[str, Any] = {}
    for name, first in rows[0].items():
        values: list[Any] = [row.get(name) for row in rows]
        if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            if all(v is not None for v in values) or first is None:
                out[name] = first
        elif len(set(values)) == 1:
            out[name] = first
        else:
            out[name] = float(np.mean(values))
        if type(out.get(name)) is float and not name.endswith(("_se", "_floor")):
            out[f"{name}_spread"] = float(np.std(values, ddof=1) / math.sqrt(len(rows)))
    out["not_asked"] = {k: why for row in rows for k, why in row["not_asked"].items()}
    return out
