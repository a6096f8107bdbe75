"""The energy distance: no kernel and no bandwidth to choose."""

from __future__ import annotations

import numpy as np

from .manifold import centred, distance_rows, without_self


def energy_distance(x, y) -> float:
    """`2 E|x - y| - E|x - x'| - E|y - y'|` of `x: [n, *event]` and `y: [m, *event]`.

    In the units of the data. Means are over different examples, without bias: zero in expectation for
    one law, so it may be slightly negative. On a line it is twice the integral of the squared
    difference of the distribution functions. In double precision, some rows of distances at a time.

    Székely & Rizzo (2013), J. Stat. Plan. Inference 143. Raises ValueError unless both are finite reals
    of one shape, two or more.
    """
    x, y = centred("energy_distance", x, y)
    between = sum(distance.sum() for _, distance in distance_rows(x, y)) / (len(x) * len(y))
    return float(2 * between - _within(x) - _within(y))


def _within(x):
    total = 0.0
    for rows, distance in distance_rows(x, x):
        others = without_self(rows, distance)
        total += others[np.isfinite(others)].sum()
    return total / (len(x) * (len(x) - 1))
