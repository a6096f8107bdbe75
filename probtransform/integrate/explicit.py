"""Explicit Runge-Kutta methods along a path, as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from ..paths import Path, Rates, at
from ..paths.path import halved, on_host
from .grids import checked
from .table import Row, Table, tabulated


class Tableau(NamedTuple):
    """Butcher's: stage i looks at `x + h sum_j a[i][j] k_j`, `c[i]` of the way, and the step ends at
    `x + h sum_i b[i] k_i`."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]


EULER = Tableau(((),), (1,), (0,))
MIDPOINT = Tableau(((), (1 / 2,)), (0, 1), (0, 1 / 2))
HEUN = Tableau(((), (1,)), (1 / 2, 1 / 2), (0, 1))
RK4 = Tableau(
    ((), (1 / 2,), (0, 1 / 2), (0, 0, 1)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), (0, 1 / 2, 1 / 2, 1)
)


def explicit(
    tableau: Tableau, path: Path, times, predicts: str, clock: Callable[..., Any] | None = None
) -> Table:
    """A Runge-Kutta step of `dx/dt = velocity` between each time and the next.

    `clock(t)`, a monotone function of `jax.numpy`, is the variable in which steps are taken, t itself if left
    out: `edm().sigma` on that path is the sampler of Karras et al. (2022), arXiv:2206.00364. A last step
    whose velocity is not known at its end is Euler's.
    """
    grid, clock = checked(times), clock or as_it_is
    ticks = on_host(clock, grid)
    hands = ticks[:-1, None] + np.diff(ticks)[:, None] * np.array(tableau.c)
    where = moment(clock, grid, ticks, hands)
    rates = at(path, where)
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = on_host(jax.vmap(jax.grad(clock)), where.ravel()).reshape(where.shape)
        slopes = rates.alpha_dot / pace, rates.sigma_dot / pace
    rows = []
    for i, h in enumerate(np.diff(ticks)):
        known = np.isfinite([slope[i] for slope in slopes]).all()
        for j, ahead in enumerate(weights(tableau if known or i < len(ticks) - 2 else EULER)):
            sum_ = (1.0, 0.0, *(h * w for w in reversed(ahead)))
            begun = (1.0, 0.0) if j < len(tableau.b) - 1 and known else sum_
            stage = Rates(*(np.float64(rate[i, j]) for rate in rates))
            rows.append(Row(stage, (slopes[0][i, j], slopes[1][i, j]), sum_, begun))
    return tabulated(rows, predicts, at(path, grid[0]).sigma)


def weights(tableau: Tableau):
    """What leads on from each stage: to the next one, and from the last one out of the step."""
    return (*tableau.a[1:], tableau.b)


def as_it_is(t):
    return t


def moment(clock, grid, ticks, hands) -> np.ndarray:
    """The times `[step, stage]` at which a monotone clock shows `hands`, each within its step, by halving."""
    if clock is as_it_is:
        return hands
    sign = np.sign(ticks[-1] - ticks[0])
    ends = (grid[:-1, None] + 0 * hands, grid[1:, None] + 0 * hands)
    between = halved(lambda t: sign * clock(t), sign * hands, *ends)
    at_start, at_end = hands == ticks[:-1, None], hands == ticks[1:, None]
    return np.where(at_start, ends[0], np.where(at_end, ends[1], between))


def euler(path: Path, times, predicts: str) -> Table:
    """`x + h v(x, t)`: order 1."""
    return explicit(EULER, path, times, predicts)


def midpoint(path: Path, times, predicts: str) -> Table:
    """`x + h v(x + h/2 v(x, t), t + h/2)`: order 2."""
    return explicit(MIDPOINT, path, times, predicts)


def heun(path: Path, times, predicts: str, clock: Callable[..., Any] | None = None) -> Table:
    """`x + h/2 (v(x, t) + v(x + h v(x, t), t + h))`: order 2. `clock` as in `explicit`."""
    return explicit(HEUN, path, times, predicts, clock)


def rk4(path: Path, times, predicts: str) -> Table:
    """The classical method: order 4, four calls a step."""
    return explicit(RK4, path, times, predicts)
