"""Bits per dimension of a density known up to a constant: an interval, by annealing the constant."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Distribution, Unnormalized, log_density_many
from ..integrate.hmc import hmc
from .annealed import Sandwich, sandwich

STEPS = (
    1.6,
    0.8,
    0.4,
    0.2,
    0.1,
    0.05,
)  # of leapfrog, before dimension; the longest that is accepted
ACCEPTED = 0.6


class Interval(NamedTuple):
    """Bits per dimension between `low` and `high`, the standard error over examples, and log Z in nats."""

    low: float
    high: float
    standard_error: float
    log_z: Sandwich


def bits_interval(
    distribution: Distribution[Unnormalized],
    params,
    key,
    batch: Batch,
    near,
    drawn,
    chains: int = 100,
    temperatures: int = 500,
) -> Interval:
    """`(log Z - log f(x)) / (d ln 2)`, averaged over the examples `x: f32[batch, *event]`; log Z is annealed.

    The ladder `f_0^(1-b) f^b` leads from the Gaussian of `near: f32[n, *event]`, examples to begin
    from, to the density f, by Hamiltonian steps in coordinates that make that Gaussian a standard one.
    From below `chains` begin at the Gaussian; from above at `drawn: f32[m, *event]`, which must be
    draws of the model for the upper end to hold. Both ends are moved outward by two standard errors.

    Grosse et al. (2015), arXiv:1511.02543. Raises ValueError for levels, conditions, or no finite density
    where the data are.
    """
    x = np.asarray(batch.x)
    if batch.cond is not None or not np.issubdtype(x.dtype, np.floating):
        raise ValueError(
            "the density is known up to a constant only, which is annealed for reals without a condition"
        )
    shape, d = x.shape[1:], math.prod(x.shape[1:])
    mean, root = gaussian_of(np.asarray(near, np.float64).reshape(-1, d))
    scale = float(np.log(np.diag(root)).sum())

    def whole(u):
        return (mean + root @ u).reshape(shape).astype(jnp.float32)

    def log_density(params, beta, u):
        base = -(u @ u) / 2 - d * math.log(2 * math.pi) / 2
        return (1 - beta) * base + beta * (
            distribution.density.fn(params, key, whole(u), None) + scale
        )

    begin, climb, pilot = jax.random.split(key, 3)
    starts = jax.random.normal(begin, (chains, d))
    inner = np.linalg.solve(
        root, (np.asarray(drawn[:chains], np.float64).reshape(-1, d) - mean).T
    ).T

    @jax.jit
    def both(params, key, starts, ends, betas, step):
        fixed = lambda beta, u: log_density(params, beta, u)  # noqa: E731
        return sandwich(fixed, key, starts, ends, betas, lambda beta: hmc(step))

    ends = jnp.asarray(inner, jnp.float32)
    for step in (s * d**-0.25 for s in STEPS):
        tried = both(params, pilot, starts[:20], ends[:20], jnp.linspace(0, 1, 20), step)
        if tried.acceptance >= ACCEPTED:
            break
    found = both(params, climb, starts, ends, jnp.linspace(0, 1, temperatures), step)
    nats = np.asarray(log_density_many(distribution, params, key, x, None), np.float64)
    if not (np.isfinite(nats).all() and np.isfinite([*map(float, found)]).all()):
        raise ValueError(
            "the density is not finite where the data or the chains are; train it again"
        )
    ends_of = (found.lower - 2 * found.lower_se, found.upper + 2 * found.upper_se)
    low, high = sorted((float(z) - nats.mean()) / (d * math.log(2)) for z in ends_of)
    spread = (
        nats.std(ddof=1) / (math.sqrt(len(nats)) * d * math.log(2)) if len(nats) > 1 else math.nan
    )
    return Interval(low, high, float(spread), found)


def gaussian_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of `x: [n, d]` and a root of its covariance, a little widened so that it has full rank."""
    cov = np.atleast_2d(np.cov(x.T)) if len(x) > 1 else np.eye(x.shape[1])
    wide = cov + 1e-3 * max(np.trace(cov) / len(cov), 1e-12) * np.eye(len(cov))
    return x.mean(0), np.linalg.cholesky(wide)
