"""Bits per dimension of a density known up to a constant: an interval, by annealing the constant."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Distribution, Unnormalized, log_density_many, sample_many
from ..distributions.tempered import Ladder, Tempered
from ..integrate.hmc import hmc
from .annealed import Sandwich, sandwich
from .histogram_ladder import histogram_ladder
from .machine_sandwich import ladder_sandwich

# of leapfrog, before dimension; the longest that is accepted
STEPS = (1.6, 0.8, 0.4, 0.2, 0.1, 0.05)
ACCEPTED = 0.6


class Interval(NamedTuple):
    """Bits per dimension between `low` and `high`, the standard error over examples, and log Z in nats.

    With labels log Z has an entry for each that occurs.
    """

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
    levels: int | None = None,
) -> Interval:
    """`(log Z - log f(x)) / (d ln 2)`, averaged over the examples `x: [batch, *event]`; log Z is annealed.

    A claim that is `Tempered` brings its ladder, for every label one of its own. Else, for reals, it is
    `f_0^(1-b) f^b`, from the Gaussian of `near: f32[n, *event]`, examples to begin from, to the density f,
    by Hamiltonian steps in coordinates that make that Gaussian a standard one; for levels the histograms
    of `near` take its place, and Gibbs sampling theirs. From below `chains` begin at the known law; from
    above at draws of the model, for the upper end to hold: of reals without labels `drawn: f32[m, *event]`,
    else `chains` drawn here, for each label that occurs; each costs an annealing. Both ends are moved outward
    by two standard errors, in Z. An entry has as many `levels`, or those that examples show.

    Grosse et al. (2015), arXiv:1511.02543. Raises ValueError for conditions that are no labels, too many
    levels, no finite density where the data are, or ends that are in disorder or too uncertain.
    """
    x, cond = np.asarray(batch.x), batch.cond
    claim, labels = distribution.density, None
    ladder = claim.ladder if isinstance(claim, Tempered) else None
    on_levels = np.issubdtype(x.dtype, np.integer)
    which = np.zeros(len(x), int)  # of the constants is that of each example
    if cond is not None:
        if not is_labels(cond):
            raise ValueError(
                "interval: got a condition that is no label, wanted a whole number for each example, as each "
                "condition has a constant of its own; leave it out, or number what occurs"
            )
        labels, which = np.unique(cond, return_inverse=True)
    if ladder or on_levels:
        shown = 1 + max(int(np.max(seen)) for seen in (near, x, drawn)) if on_levels else 0
        ladder = ladder or histogram_ladder(distribution, key, near, levels or shown)
        found = climbed(distribution, ladder, params, key, labels, chains, temperatures)
    else:
        found = from_gaussian(distribution, params, key, near, drawn, labels, chains, temperatures)
    d = math.prod(x.shape[1:])
    nats = np.asarray(log_density_many(distribution, params, key, x, cond), np.float64)
    if not (np.isfinite(nats).all() and all(np.isfinite(side).all() for side in found)):
        raise ValueError(
            "interval: got a density that is not finite where the data or the chains are, wanted a finite "
            "one; train it again"
        )
    ends = outward(found)
    if np.any(ends[0] > ends[1]):
        raise ValueError(
            f"interval: got log Z of at least {np.max(ends[0] - ends[1]):.3g} nats more than at most, wanted "
            "ends in order; the draws are not of the model, let its chains walk longer"
        )
    each = [(np.atleast_1d(z)[which] - nats) / (d * math.log(2)) for z in ends]
    low, high = (float(bits.mean()) for bits in each)
    spread = each[0].std(ddof=1) / math.sqrt(len(nats)) if len(nats) > 1 else math.nan
    return Interval(low, high, float(spread), found)


def outward(found: Sandwich, errors: float = 2.0):
    """Both ends that many standard errors further out: `log(Z - 2 s)`, and `-log(1/Z - 2 s)` above.

    What is estimated are Z and 1/Z, not their logarithms. Raises ValueError where nothing is left of either.
    """
    shares = [errors * np.asarray(se, np.float64) for se in (found.lower_se, found.upper_se)]
    if (worst := max(np.max(share) for share in shares)) >= 1:
        raise ValueError(
            f"interval: got a constant with a relative standard error of {worst / errors:.2g}, wanted less "
            f"than {1 / errors:.2g}; take more chains or temperatures"
        )
    less, more = (np.log1p(-share) for share in shares)
    return found.lower + less, found.upper - more


def is_labels(cond) -> bool:
    return hasattr(cond, "dtype") and cond.ndim == 1 and np.issubdtype(cond.dtype, np.integer)


def climbed(distribution, ladder: Ladder, params, key, labels, chains: int, temperatures: int):
    """The `Sandwich` of a ladder, its numbers arrays with an entry for each label if there are any."""
    climb, draw = jax.random.split(key)
    betas = jnp.linspace(0, 1, temperatures)

    @jax.jit
    def both(params, key, ends, label):
        return ladder_sandwich(ladder, params, key, betas, chains, ends, label)

    def one(i, label):
        told = None if label is None else jnp.full(chains, label)
        ends = sample_many(distribution, params, jax.random.fold_in(draw, i), chains, told)
        return both(params, jax.random.fold_in(climb, i), ends, label)

    return of_each(labels, one)


def of_each(labels, one) -> Sandwich:
    """`one(number, label)` of every label, its numbers side by side; that of None where there are none."""
    if labels is None:
        return jax.tree.map(float, one(0, None))
    each = [one(i, label) for i, label in enumerate(jnp.asarray(labels))]
    return jax.tree.map(lambda *numbers: np.asarray(numbers, np.float64), *each)


def from_gaussian(distribution, params, key, near, drawn, labels, chains: int, temperatures: int):
    """The `Sandwich` of a density on reals, from the Gaussian of `near`, by Hamiltonian steps."""
    shape, d = near.shape[1:], math.prod(near.shape[1:])
    mean, root = gaussian_of(np.asarray(near, np.float64).reshape(-1, d))
    scale = float(np.log(np.diag(root)).sum())
    anneal, _ = jax.random.split(key)  # the key itself is the density's

    def whole(u):
        return (mean + root @ u).reshape(shape).astype(jnp.float32)

    @jax.jit
    def both(params, key, starts, ends, betas, step, label):
        def log_density(beta, u):
            base = -(u @ u) / 2 - d * math.log(2 * math.pi) / 2
            nats = distribution.density.fn(params, key, whole(u), label)
            return (1 - beta) * base + beta * (nats + scale)

        return sandwich(log_density, key, starts, ends, betas, lambda beta: hmc(step))

    def one(i, label):
        begin, climb, pilot, draw = jax.random.split(jax.random.fold_in(anneal, i), 4)
        beginnings = jax.random.normal(begin, (chains, d))
        found = drawn[:chains]
        if label is not None:
            told = jnp.full(chains, label)
            found = sample_many(distribution, params, draw, chains, told)
        away = np.asarray(found, np.float64).reshape(-1, d) - mean
        ends = jnp.asarray(np.linalg.solve(root, away.T).T, jnp.float32)
        few = jnp.linspace(0, 1, 20)
        for step in (s * d**-0.25 for s in STEPS):
            tried = both(params, pilot, beginnings[:20], ends[:20], few, step, label)
            if tried.acceptance >= ACCEPTED:
                break
        betas = jnp.linspace(0, 1, temperatures)
        return both(params, climb, beginnings, ends, betas, step, label)

    return of_each(labels, one)


def gaussian_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of `x: [n, d]` and a root of its covariance, a little widened so that it has full rank."""
    cov = np.atleast_2d(np.cov(x.T)) if len(x) > 1 else np.eye(x.shape[1])
    wide = cov + 1e-3 * max(np.trace(cov) / len(cov), 1e-12) * np.eye(len(cov))
    return x.mean(0), np.linalg.cholesky(wide)
