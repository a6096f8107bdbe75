"""The chain of denoising steps as a transform: its variational bound is the way back."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from ..core import Bound, Network, Transform
from ..integrate.grids import checked
from ..paths import Path, at, view_at


class Step(NamedTuple):
    """Of one step of the chain, arrays `[N]`; see `denoising_chain`."""

    t: np.ndarray
    keep: np.ndarray
    gain: np.ndarray
    spread: np.ndarray
    forget: np.ndarray
    noise: np.ndarray
    p: np.ndarray
    q: np.ndarray


def denoising_chain(network: Network, path: Path, times, predicts: str) -> Transform[Bound]:
    """DDPM's chain `x_0 = sigma(0) z -> x_1 -> ... -> x_N -> x`, x_i at `times[i]`, one call a step.

    `x_i+1 ~ N(k x_i + g D(x_i), s^2)` is the path's own posterior of x_i+1 with the data prediction D in the
    place of x, and `x ~ N(D(x_N), (sigma/alpha)^2)`. Back, data are made noise step by step, exactly,
    `x_i ~ N(a x_i+1, r^2)` with `a = alpha_i / alpha_i+1`, and the weight is `log p(chain) - log q(chain)`:
    weights of several keys average to a sharper bound. `times` end before the data, at finite SNR.

    Ho et al. (2020), arXiv:2006.11239; Kingma et al. (2021), arXiv:2107.00630.
    Raises ValueError for times at which nothing is noise or nothing is data, or that do not increase.
    """
    grid = checked(times)
    last = at(path, grid[-1])
    if not (last.sigma > 0 and last.alpha > 0):
        raise ValueError(
            f"denoising_chain: got a last time of {grid[-1]:g} where alpha = {last.alpha:g}, sigma = "
            f"{last.sigma:g}, wanted both above 0; end a little before the data"
        )
    start, end = float(at(path, grid[0]).sigma), float(last.sigma / last.alpha)
    steps, alpha = chained(path, grid, predicts), float(last.alpha)
    p_last, q_last = (float(c) for c in view_at(path, grid[-1], predicts, "data"))

    def normals(away, deviation):
        return norm.logpdf(away / deviation).sum() - away.size * jnp.log(deviation)

    def mean(params, x, row, cond):
        data = row.p * x + row.q * network.apply(params, x, row.t, cond)
        return row.keep * x + row.gain * data

    def data(params, x, cond):
        return p_last * x + q_last * network.apply(params, x, jnp.asarray(grid[-1], x.dtype), cond)

    def forward(params, key, z, cond=None):
        def ahead(x, at):
            row, key = at
            new = row.spread * jax.random.normal(key, x.shape, x.dtype)
            return mean(params, x, row, cond) + new, None

        walk, keys = keyed(key, z)
        x, _ = jax.lax.scan(ahead, start * z, (rows(z), walk))
        return data(params, x, cond) + end * jax.random.normal(keys, z.shape, z.dtype)

    def inverse(params, key, x, cond=None):
        def back(carry, at):
            x, weight = carry
            row, key = at
            noise = row.noise * jax.random.normal(key, x.shape, x.dtype)
            before = row.forget * x + noise
            ahead = normals(x - mean(params, before, row, cond), row.spread)
            return (before, weight + ahead - normals(noise, row.noise)), None

        walk, first = keyed(key, x)
        noise = last.sigma * jax.random.normal(first, x.shape, x.dtype)
        x_n = alpha * x + noise.astype(x.dtype)
        weight = normals(x - data(params, x_n, cond), end) - normals(noise, float(last.sigma))
        carry, over = (x_n, weight), (rows(x), walk)
        (x_0, weight), _ = jax.lax.scan(back, carry, over, reverse=True)
        return x_0 / start, weight - x.size * math.log(start)

    def rows(like):
        return jax.tree.map(lambda c: jnp.asarray(c, like.dtype), steps)

    def keyed(key, x):
        one, other = jax.random.split(key)
        return jax.random.split(one, len(grid) - 1), other

    return Transform(network.init, forward, Bound(inverse))


def chained(path: Path, grid: np.ndarray, predicts: str) -> Step:
    """The coefficients of all steps, in double precision; differences of variances by `expm1`."""
    rates = at(path, grid)
    here, there = (
        (rates.alpha[part], rates.sigma[part]) for part in (slice(None, -1), slice(1, None))
    )
    forget = here[0] / there[0]
    kept = (forget * there[1] / here[1]) ** 2  # of the variance at i, what was there at i + 1
    keep, gain = forget * (there[1] / here[1]) ** 2, there[0] * (1 - kept)
    noise, spread = here[1] * np.sqrt(1 - kept), there[1] * np.sqrt(1 - kept)
    p, q = view_at(path, grid[:-1], predicts, "data")
    return Step(grid[:-1], keep, gain, spread, forget, noise, p, q)
