"""Samplers that forget: part of the noise in the state is taken for new noise."""

from __future__ import annotations

import numpy as np

from ..core.check import positive
from ..paths import Path, Rates, at, time_of
from .exponential import line, multistep, of
from .grids import checked
from .table import Row, Table, denoised, joined, tabulated


def ddim(path: Path, times, predicts: str, eta: float = 0.0) -> Table:
    """`x' = alpha' D + sqrt(sigma'^2 - s^2) E + s e`, D and E what the network says of data and noise.

    `s^2 = eta^2 sigma'^2 (1 - (alpha sigma' / (alpha' sigma))^2)`: `eta = 0` is the ODE in exponential
    steps, `eta = 1` the posterior of the path given D, the ancestral sampler of DDPM.
    Song et al. (2021), arXiv:2010.02502; Ho et al. (2020), arXiv:2006.11239.
    """
    if not 0 <= eta <= 1:
        raise ValueError(
            f"ddim: got eta={eta}, wanted 0 (no noise) to 1 (ancestral); choose between"
        )
    grid = checked(times)
    along, rows = line(path, grid, "data"), []
    for i in range(len(grid) - 1):
        step = along.step(i, i + 1)
        rest = step.to_keep * np.sqrt(1 - eta**2 + eta**2 * np.exp(-2 * step.h)) / step.keep
        new = eta * step.to_keep * np.sqrt(-np.expm1(-2 * step.h))
        gain = step.first if eta == 0 else step.to_gain - step.gain * rest
        sum_ = (0.0, rest, gain)
        rows.append(Row(along.at(i), "data", sum_, sum_, (new, new)))
    return tabulated(rows, predicts, along.rates.sigma[0])


def ancestral(path: Path, times, predicts: str) -> Table:
    """`ddim` with `eta = 1`: DDPM's sampler."""
    return ddim(path, times, predicts, 1.0)


def dpm_solver_pp_sde(path: Path, times, predicts: str, order: int = 2) -> Table:
    """The reverse SDE by an exponential step, D constant (order 1) or straight in log-SNR (order 2).

    `x' = sigma'/sigma e^-h x + alpha' (1 - e^-2h) (D + (D - D_before) / 2r) + sigma' sqrt(1 - e^-2h) e`;
    order 1 is `ancestral`. Lu et al. (2022), arXiv:2211.01095.
    """
    of(order, "dpm_solver_pp_sde", 2)

    def weights(step, lams):
        gain = -step.to_gain * np.expm1(-2 * step.h)
        r = (lams[0] - lams[1]) / step.h if len(lams) == 2 else np.inf
        return [gain * (1 + 0.5 / r), -gain * 0.5 / r][: len(lams)]

    along = line(path, checked(times), "data")
    table = multistep(path, times, predicts, "data", order, weights)
    h = np.diff(along.lam)
    kept = table.point * np.where(np.arange(table.point.shape[1]) == 0, np.exp(-h)[:, None], 1.0)
    new = along.keep[1:] * np.sqrt(-np.expm1(-2 * h))
    return table._replace(point=kept, noise=np.stack([new, new], 1))


def euler_maruyama(path: Path, times, predicts: str, level: float = 1.0) -> Table:
    """Euler's step of `dx = (v + w^2/2 score) dt + w dW`, which has the marginals of the path for every w.

    `w^2 = level * 2 sigma^2 d(log alpha/sigma)/dt`: level 1 is the reverse of the diffusion, 0 the ODE.
    Song et al. (2021), arXiv:2011.13456; Karras et al. (2022), arXiv:2206.00364.
    """
    grid = checked(times)
    rates = at(path, grid)
    rows = []
    for i, h in enumerate(np.diff(grid)):
        here = Rates(*(np.float64(rate[i]) for rate in rates))
        w2 = level * twice_spread(here)
        drift = here.alpha_dot, here.sigma_dot - w2 / (2 * here.sigma)
        sum_, new = (0.0, 1.0, h), np.sqrt(w2 * h)
        rows.append(Row(here, drift, sum_, sum_, (new, new)))
    return tabulated(rows, predicts, rates.sigma[0])


def twice_spread(rates: Rates):
    """`2 sigma^2 d(log alpha/sigma)/dt`, the rate at which the diffusion itself forgets."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rates.alpha_dot / rates.alpha
        return 2 * rates.sigma * (rates.sigma * ratio - rates.sigma_dot)


def predictor_corrector(path: Path, times, predicts: str, snr: float = 0.16) -> Table:
    """`euler_maruyama`, and after each step one of Langevin's: `x + k score + sqrt(2 k) e`.

    `k = 2 (snr sigma)^2`: the norm of the score, by which the authors divide, is as the path has it,
    `1 / sigma` a dimension. Song et al. (2021), arXiv:2011.13456.
    """
    grid = checked(times)
    table = euler_maruyama(path, grid, predicts)
    rows = [langevin(path, t, snr) for t in grid[1:]]
    # where nothing is noise, nothing is corrected
    last = len(rows) if rows[-1].at.sigma else len(rows) - 1
    if not last:
        return table
    turns = np.argsort(np.append(np.arange(len(rows)), np.arange(last) + 0.5))
    return joined(table, tabulated(rows[:last], predicts, 0.0), turns)


def langevin(path: Path, t: float, snr: float) -> Row:
    """`x + k score + sqrt(2 k) e` with `k = 2 (snr sigma)^2`, at one noise level."""
    here = at(path, t)
    sum_, new = (0.0, 1.0, -2 * snr**2 * here.sigma), 2 * snr * here.sigma
    return Row(here, "noise", sum_, sum_, (new, new))


def annealed_langevin(path: Path, times, predicts: str, repeats: int, snr: float = 0.22) -> Table:
    """`repeats` steps `x + k score + sqrt(2 k) e`, `k = 2 (snr sigma)^2`, at every time; then the data.

    k is a share of the variance of the noise, the `epsilon / 2 sigma_L^2` of the authors, and the same at
    all levels. Song & Ermon (2019), arXiv:1907.05600; the last call: (2020), arXiv:2006.09011.
    Raises ValueError unless `snr` is between 0 and 1.
    """
    positive("annealed_langevin", repeats=repeats)
    if not 0 < snr < 1:
        raise ValueError(f"annealed_langevin: got snr={snr}, wanted 0 to 1; 0.22 is usual")
    grid = checked(times)
    rows = [langevin(path, t, snr) for t in grid for _ in range(repeats)]
    table = tabulated(rows, predicts, at(path, grid[0]).sigma)
    return denoised(table, path, predicts, float(grid[-1]))


def churned(
    path: Path,
    times,
    predicts: str,
    churn: float = 0.4,
    low: float = 0.05,
    high: float = 50.0,
    inflate: float = 1.003,
) -> Table:
    """Karras' stochastic sampler: noise is added, then Heun's step in `n = sigma / alpha` undoes it and more.

    Where `low <= n <= high`, n first grows by the factor `1 + churn`, never beyond that of the base, with
    noise of `inflate` times the size that takes. `churn = 0` is `heun` in that clock; sqrt(2) - 1 the most.
    Karras et al. (2022), arXiv:2206.00364, algorithm 2, whose `S_churn / N` is `churn`.
    """
    if not 0 <= churn <= np.sqrt(2) - 1 + 1e-12:
        raise ValueError(
            f"churned: got churn={churn}, wanted 0 to sqrt(2) - 1 = 0.414; choose between"
        )
    grid = checked(times)
    n = level(path, grid)
    with np.errstate(divide="ignore"):
        most = np.divide(*at(path, 0.0)[2:0:-1])
    wider = np.where((n >= low) & (n <= high), np.minimum(n * (1 + churn), most), n)
    begin = np.where(wider > n, time_of(path, -2 * np.log(np.maximum(wider, 1e-300))), grid)
    wide, tight = at(path, begin), at(path, grid)
    n_wide, rows = wide.sigma / wide.alpha, []
    grown = inflate * np.sqrt(np.maximum(n_wide**2 - n**2, 0)) * wide.alpha
    grown[-1] = 0.0
    for i in range(len(grid) - 1):
        from_, to, last = n_wide[i], n[i + 1], i == len(grid) - 2
        h, scale = to - from_, 1 / wide.alpha[i]
        here = Rates(*(np.float64(rate[i]) for rate in wide))
        there = Rates(*(np.float64(rate[i + 1]) for rate in tight))
        after = there.alpha if last else wide.alpha[i + 1]
        new = (grown[i + 1], grown[i + 1])
        whole = (scale * (1 + h / from_), 0.0, -h / from_)
        if to == 0:  # nothing is noise there: the data prediction is the end
            rows.append(Row(here, "data", times_(after, whole), times_(after, whole), new))
            continue
        rows.append(Row(here, "data", times_(there.alpha, whole), (1.0, 0.0)))
        half = h / (2 * to)
        both = (scale * (1 + h / (2 * from_)), half / there.alpha, -half, -h / (2 * from_))
        rows.append(Row(there, "data", times_(after, both), times_(after, both), new))
    return tabulated(rows, predicts, wide.sigma[0])


def level(path: Path, t):
    rates = at(path, t)
    if not np.all(rates.alpha > 0):
        raise ValueError(
            "churned: got a path of pure noise, wanted alpha > 0; begin a little later"
        )
    return rates.sigma / rates.alpha


def times_(scale: float, weights) -> tuple[float, ...]:
    return tuple(scale * w for w in weights)
