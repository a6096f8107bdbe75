"""Transport smoothed by an entropy, and the divergence that it makes.

`OT(x, y) = min_P <P, C> + epsilon KL(P || a b')` over plans P between uniform weights a and b, with
the squared Euclidean cost C. It is solved in its dual,

    max_{f, g}  mean f + mean g - epsilon (mean_ij exp((f_i + g_j - C_ij) / epsilon) - 1),

whose derivative in C, at the best potentials, is the plan: so gradients pass through C with potentials
held fixed, which is implicit differentiation without a system to solve.

Cuturi (2013), arXiv:1306.0895; Feydy et al. (2019), arXiv:1810.08278.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from ..coupling.cost import between

INNER = 10  # rounds of products between two of logarithms
MOST = 1000  # rounds of logarithms


class Potentials(NamedTuple):
    """`f: f32[n]` and `g: f32[m]` over epsilon, and how far the rows of the plan are from their weights:
    the sum of the differences."""

    f: jax.Array
    g: jax.Array
    error: jax.Array


def sinkhorn_divergence(x, y, epsilon: float, threshold: float = 1e-3):
    """`OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2` of `x: f32[n, d]` and `y: f32[m, d]`.

    Not negative, and zero for equal samples alone, which `OT` itself is not. It and `epsilon` are in
    squared units of the data: towards zero it is the squared W_2, towards infinity the squared distance of
    the means. Plans are within `threshold` of their weights, unless `MOST` rounds are too few, as where
    epsilon is small beside the squared distances. `debiased` gives the error as well: if it is above the
    threshold, take a larger epsilon. Raises ValueError unless epsilon > 0.
    """
    above_zero(epsilon)
    return debiased(x, y, epsilon, threshold)[0]


def entropic_transport(x, y, epsilon: float, threshold: float = 1e-3):
    """`OT(x, y)` of `x: f32[n, d]` and `y: f32[m, d]`: smallest not at x = y, but for a shrunken x.

    Raises ValueError unless epsilon > 0.
    """
    above_zero(epsilon)
    return transport(x, y, epsilon, threshold)[0]


def debiased(x, y, epsilon, threshold: float):
    """The Sinkhorn divergence, and the largest error of its three plans."""
    values, errors = zip(
        *(transport(a, b, epsilon, threshold) for a, b in ((x, y), (x, x), (y, y))), strict=True
    )
    return values[0] - (values[1] + values[2]) / 2, jnp.max(jnp.stack(errors))


def transport(x, y, epsilon, threshold: float):
    """`OT(x, y)`, and the error of its plan."""
    cost = between(x, y) / epsilon
    f, g, error = potentials(jax.lax.stop_gradient(cost), threshold, same=x is y)
    mass = jnp.mean(jnp.exp(f[:, None] + g - cost))
    return epsilon * (jnp.mean(f) + jnp.mean(g) - (mass - 1)), error


def potentials(cost, threshold: float = 1e-3, same: bool = False) -> Potentials:
    """The best potentials of a cost `f32[n, m]`, all three over epsilon; no gradient.

    Each round takes one step of logarithms, safe at any epsilon, which leaves a kernel whose entries
    are masses; `INNER` steps of matrix products follow on it, at a tenth of the price of logarithms,
    and are folded into the potentials. `same` tells that the cost is symmetric: then one potential
    serves both, and halfway to its best is a step that converges in a few rounds.

    Schmitzer (2019), arXiv:1610.06519.
    """
    low = jnp.finfo(cost.dtype).tiny ** 0.5

    def scale(mass):  # what leaves this range is left to the next logarithms
        return 1 / jnp.clip(mass, low, 1 / low)

    def off(u, kernel, v):  # the rows of the plan, which should sum to 1
        return jnp.mean(jnp.abs(u * mean_of(kernel, v) - 1))

    def two(f, g):
        best = -log_mean_exp(g - cost)
        rest = best[:, None] - cost
        top = jnp.max(rest, 0)
        kernel = jnp.exp(rest - top)
        total = jnp.mean(kernel, 0)
        kernel = kernel / total

        def products(_, u_v):
            u = scale(mean_of(kernel, u_v[1]))
            # not by kernel.T, which would be turned around in every round
            return u, scale(mean_of(u, kernel))

        u, v = jax.lax.fori_loop(0, INNER, products, (jnp.ones_like(f), jnp.ones_like(g)))
        return Potentials(best + jnp.log(u), jnp.log(v) - top - jnp.log(total), off(u, kernel, v))

    def one(f, _):
        best = -log_mean_exp(f - cost)
        half = (f + best) / 2
        kernel = jnp.exp(half[:, None] + half - cost)

        def products(_, u):
            return jnp.sqrt(u * scale(mean_of(kernel, u)))

        u = jax.lax.fori_loop(0, INNER, products, jnp.ones_like(f))
        f = half + jnp.log(u)
        return Potentials(f, f, off(u, kernel, u))

    def going(at):
        return (at[0] < MOST) & (at[1].error > threshold)

    def go(at):
        count, (f, g, _) = at
        return count + 1, (one if same else two)(f, g)

    n, m = cost.shape
    worst = jnp.asarray(jnp.inf, cost.dtype)
    start = Potentials(jnp.zeros(n, cost.dtype), jnp.zeros(m, cost.dtype), worst)
    return jax.lax.while_loop(going, go, (0, start))[1]


def log_mean_exp(rows):
    top = jnp.max(rows, 1)
    return top + jnp.log(jnp.mean(jnp.exp(rows - top[:, None]), 1))


def mean_of(a, b):
    return jnp.matmul(a, b, precision="highest") / len(b)


def above_zero(epsilon: float) -> None:
    if not epsilon > 0:
        raise ValueError(
            f"sinkhorn: got epsilon={epsilon}, wanted a number above zero; use wasserstein for the limit"
        )
