"""Exponential integrators: what is linear in the state is solved, what the network says is a polynomial.

With the data prediction D and `lam = log(alpha / sigma)`, `d(x / sigma) = D exp(lam) dlam`; with the noise
prediction E, `d(x / alpha) = -E exp(-lam) dlam`: one equation, with alpha and sigma in each other's place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..paths import Path, Rates, at, time_of
from .grids import checked
from .table import Row, Table, tabulated


class Step(NamedTuple):
    """From one time to the next: the factors of what is kept and of what is predicted, and `h = dlam`."""

    keep: float
    gain: float
    to_keep: float
    to_gain: float
    h: float

    @property
    def kept(self) -> float:
        return self.to_keep / self.keep

    @property
    def first(self) -> float:
        """`to_keep * integral of exp(lam) dlam`: what a constant prediction adds."""
        if np.isfinite(self.h):
            return -self.to_gain * np.expm1(-self.h)
        return self.to_gain - self.gain * self.kept


class Line(NamedTuple):
    """A path along a grid, seen from the prediction of `reads`: `keep, gain` are sigma, alpha for data."""

    rates: Rates
    keep: np.ndarray
    gain: np.ndarray
    lam: np.ndarray

    def step(self, i: int, j: int) -> Step:
        return Step(
            self.keep[i], self.gain[i], self.keep[j], self.gain[j], self.lam[j] - self.lam[i]
        )

    def at(self, i: int) -> Rates:
        return Rates(*(np.float64(rate[i]) for rate in self.rates))


def line(path: Path, times, reads: str) -> Line:
    rates = at(path, times)
    keep, gain = (rates.sigma, rates.alpha)[:: 1 if reads == "data" else -1]
    with np.errstate(divide="ignore"):
        return Line(rates, keep, gain, np.log(gain) - np.log(keep))


def multistep(path: Path, times, predicts: str, reads: str, order: int, weights) -> Table:
    """A call a step, its prediction weighed with those before: `weights(step, lams)`, newest first.

    The first steps, and one of infinite length in log-SNR, are of lower order: it shows at the end unless
    they are short or begin in pure noise.
    """
    grid = checked(times)
    along, rows = line(path, grid, reads), []
    for i in range(len(grid) - 1):
        step, n = along.step(i, i + 1), min(order, i + 1)
        n = n if np.isfinite(step.h) else 1
        # a prediction infinitely far back tells nothing of how they change
        n = 1 + int(np.isfinite(along.lam[i - n + 1 : i][::-1]).cumprod().sum())
        sum_ = (0.0, step.kept, *weights(step, along.lam[i - n + 1 : i + 1][::-1]))
        rows.append(Row(along.at(i), reads, sum_, sum_))
    return tabulated(rows, predicts, along.rates.sigma[0])


def polynomial(step: Step, lams) -> Any:
    """The weights of the polynomial through all predictions, integrated by Gauss and Legendre's rule.

    Closed forms of these integrals lose their digits as steps get small.
    """
    if len(lams) == 1:
        return [step.first]
    nodes, mass = np.polynomial.legendre.leggauss(24)
    ahead = step.h * (nodes + 1) / 2
    kernel = step.to_gain * np.exp(ahead - step.h) * mass * step.h / 2
    places = np.asarray(lams) - lams[0]
    weights = []
    for j, place in enumerate(places):
        others = np.delete(places, j)
        weights.append(np.prod((ahead[:, None] - others) / (place - others), 1) @ kernel)
    return weights


def halfway(step: Step, lams) -> Any:
    """As `polynomial`, but of two predictions what the straight line through them says half way."""
    if len(lams) != 2:
        return polynomial(step, lams)
    change = step.first * step.h / (2 * (lams[0] - lams[1]))
    return [step.first + change, -change]


def dpm_solver_pp(path: Path, times, predicts: str, order: int = 2) -> Table:
    """DPM-Solver++ of order 1 (which is DDIM), 2 or 3, a call a step.

    At order 3 the polynomial is integrated exactly: the published formula takes half of the second derivative
    and is of order 2. Lu et al. (2022), arXiv:2211.01095.
    """
    return multistep(path, times, predicts, "data", of(order, "dpm_solver_pp", 3), halfway)


def dpm_solver(path: Path, times, predicts: str, order: int = 2) -> Table:
    """DPM-Solver of order 1 (which is DDIM), 2 or 3, a call a step; order 3 as in `dpm_solver_pp`.

    Lu et al. (2022), arXiv:2206.00927.
    """
    return multistep(path, times, predicts, "noise", of(order, "dpm_solver", 3), halfway)


def deis(path: Path, times, predicts: str, order: int = 3) -> Table:
    """Noise as a polynomial in log-SNR through the last 1 to 4 predictions, integrated without rounding.

    Zhang & Chen (2022), arXiv:2204.13902.
    """
    return multistep(path, times, predicts, "noise", of(order, "deis", 4), polynomial)


def singlestep(path: Path, times, predicts: str, order: int = 2, reads: str = "data") -> Table:
    """DPM-Solver++ (`reads="data"`) or DPM-Solver ("noise") that looks ahead within each step: 2 or 3 calls.

    Order 2 looks half way in log-SNR, order 3 at a third and two thirds. A step of infinite length is
    of order 1. Lu et al. (2022), arXiv:2206.00927, arXiv:2211.01095.
    """
    if order not in (2, 3) or reads not in ("data", "noise"):
        raise ValueError(
            f"singlestep: got order={order}, reads={reads!r}, wanted 2 or 3, 'data' or 'noise'"
        )
    grid = checked(times)
    ends = line(path, grid, reads)
    sign = 2 if reads == "data" else -2  # of lam in log-SNR
    shares = np.arange(1, order) / order
    with np.errstate(invalid="ignore"):
        inner = ends.lam[:-1, None] + np.diff(ends.lam)[:, None] * shares
    finite = np.asarray(np.isfinite(inner).all(1))
    middle = time_of(path, np.where(finite[:, None], sign * inner, 0.0))
    places = np.concatenate([grid[:-1, None], middle], 1)
    along = line(path, np.append(places.ravel(), grid[-1]), reads)
    rows = []
    sum_: tuple[float, ...]
    for i in range(len(grid) - 1):
        start, end = order * i, order * (i + 1)
        whole = along.step(start, end)
        if not finite[i]:
            sum_ = (whole.kept, 0.0, whole.first)
            rows.append(Row(along.at(start), reads, sum_, sum_))
            continue
        first = along.step(start, start + 1)
        rows.append(Row(along.at(start), reads, (first.kept, 0.0, first.first), (1.0, 0.0)))
        if order == 3:
            to = along.step(start, start + 2)
            by = bend(to) * 2  # the inner point is half of the way
            sum_ = (to.kept, 0.0, by, to.first - by)
            rows.append(Row(along.at(start + 1), reads, sum_, (1.0, 0.0)))
            by = bend(whole) / shares[1]
            sum_ = (whole.kept, 0.0, by, 0.0, whole.first - by)
        else:
            by = whole.first
            sum_ = (whole.kept, 0.0, by, 0.0)
        rows.append(Row(along.at(end - 1), reads, sum_, sum_))
    return tabulated(rows, predicts, ends.rates.sigma[0])


def bend(step: Step) -> float:
    """`to_keep * integral of exp(lam) (lam - lam_0) / h dlam`: what a prediction that grows by one adds."""
    return step.to_gain * (np.expm1(-step.h) / step.h + 1)


def of(order: int, who: str, most: int) -> int:
    if order not in range(1, most + 1):
        raise ValueError(f"{who}: got order={order}, wanted 1 to {most}; choose one of them")
    return order
