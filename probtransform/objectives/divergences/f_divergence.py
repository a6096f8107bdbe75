"""f-divergences in log space: every function is of a log-ratio or of a critic's output, never of p/q.

For f convex with f(1) = 0, and r = log p/q,

    D_f(P || Q) = E_Q f(e^r)  >=  E_P T - E_Q f*(T),      f*(t) = sup_{u > 0} u t - f(u),

for any function T with values in the domain of f*; equal at `T = f'(e^r)`. A critic's output v becomes
such a T by an activation, and the two are never taken apart: `f*(activation(v))` is written as one
function of v, so that a logit of 80 either way gives finite numbers and slopes in float32, where
f* of a rounded T would not.

Nowozin et al. (2016), arXiv:1606.00709; Nguyen et al. (2010), arXiv:0809.0853.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.nn import log_sigmoid, softplus

from .gaussian import Gaussian, alpha_of_gaussians, kl_of_gaussians

Elementwise = Callable[[Any], Any]


class FDivergence(NamedTuple):
    """D_f by four functions, each elementwise.

    f:          `r -> f(e^r)` of a finite log-ratio; infinite only where the value itself overflows.
    optimal:    `r -> v`, the critic's output at which the bound is tight: `activation(v) = f'(e^r)`.
    activation: `v -> T`, from the whole line into the domain of f*, increasing.
    conjugate:  `v -> f*(activation(v))`.
    gaussians:  `(P, Q) -> D_f`, the closed form for two `Gaussian`s, or None where there is none.
    """

    f: Elementwise
    optimal: Elementwise
    activation: Elementwise
    conjugate: Elementwise
    gaussians: Callable[[Gaussian, Gaussian], Any] | None = None


def dual(divergence: FDivergence, on_p, on_q):
    """`mean T(v_p) - mean f*(T(v_q))`, at most D_f(P || Q) in expectation, of a critic's outputs v.

    `on_p: f32[n]` are the outputs at draws of P and `on_q: f32[m]` those at draws of Q. In nats where f
    has a logarithm, and without a unit elsewhere.
    """
    return jnp.mean(divergence.activation(on_p)) - jnp.mean(divergence.conjugate(on_q))


def same(r):
    return r


kl = FDivergence(  # E_P log p/q
    f=lambda r: r * jnp.exp(r),
    optimal=lambda r: 1 + r,
    activation=same,
    conjugate=lambda v: jnp.exp(v - 1),
    gaussians=kl_of_gaussians,
)

reverse_kl = FDivergence(  # E_Q log q/p
    f=lambda r: -r,
    optimal=same,
    activation=lambda v: -jnp.exp(-v),
    conjugate=lambda v: v - 1,
    gaussians=lambda p, q: kl_of_gaussians(q, p),
)

jeffreys = FDivergence(  # both together; log space spares f* its Lambert function
    f=lambda r: r * jnp.expm1(r),
    optimal=same,
    activation=lambda v: v - jnp.expm1(-v),
    conjugate=lambda v: v + jnp.expm1(v),
    gaussians=lambda p, q: kl_of_gaussians(p, q) + kl_of_gaussians(q, p),
)

pearson = FDivergence(  # int (p - q)^2 / q
    f=lambda r: jnp.expm1(r) ** 2,
    optimal=lambda r: 2 * jnp.expm1(r),
    activation=same,
    # below t = -2 the supremum is at u = 0: the bound is tighter there than with the parabola
    conjugate=lambda v: jnp.maximum(v / 2 + 1, 0) ** 2 - 1,
    gaussians=lambda p, q: 2 * alpha_of_gaussians(2.0, p, q),
)

neyman = FDivergence(  # int (p - q)^2 / p
    f=lambda r: (2 * jnp.sinh(r / 2)) ** 2,
    optimal=lambda r: 2 * r,
    activation=lambda v: -jnp.expm1(-v),
    conjugate=lambda v: -2 * jnp.expm1(-v / 2),
    gaussians=lambda p, q: 2 * alpha_of_gaussians(-1.0, p, q),
)

squared_hellinger = FDivergence(  # int (sqrt p - sqrt q)^2, at most 2
    f=lambda r: jnp.expm1(r / 2) ** 2,
    optimal=lambda r: r / 2,
    activation=lambda v: -jnp.expm1(-v),
    conjugate=jnp.expm1,
    gaussians=lambda p, q: alpha_of_gaussians(0.5, p, q) / 2,
)

total_variation = FDivergence(  # int |p - q| / 2, at most 1; v would have to be infinite
    f=lambda r: jnp.abs(jnp.expm1(r)) / 2,
    optimal=lambda r: 40 * jnp.sign(r),
    activation=lambda v: jnp.tanh(v) / 2,
    conjugate=lambda v: jnp.tanh(v) / 2,
)

jensen_shannon = FDivergence(  # KL(P || M) + KL(Q || M) of the mixture M = (P + Q)/2, at most log 4
    f=lambda r: jnp.exp(r) * (log_sigmoid(r) + math.log(2)) + log_sigmoid(-r) + math.log(2),
    optimal=same,
    activation=lambda v: log_sigmoid(v) + math.log(2),
    conjugate=lambda v: softplus(v) - math.log(2),
)

gan = FDivergence(  # Jensen-Shannon less log 4, so f(1) is not zero: the game of Goodfellow et al.
    f=lambda r: jnp.exp(r) * log_sigmoid(r) + log_sigmoid(-r),
    optimal=same,
    activation=log_sigmoid,
    conjugate=softplus,
)


def weighted_jensen_shannon(pi: float) -> FDivergence:
    """`pi KL(P || M) + (1 - pi) KL(Q || M)` of the mixture `M = pi P + (1 - pi) Q`.

    A half of `jensen_shannon` at `pi = 1/2`. Raises ValueError unless 0 < pi < 1.
    """
    if not 0 < pi < 1:
        raise ValueError(
            f"weighted_jensen_shannon: got pi={pi}, wanted a share between 0 and 1; use kl or "
            "reverse_kl for the limits, each divided by its weight"
        )
    first, second = math.log(pi), math.log1p(-pi)

    def mixture(r):  # log (pi u + 1 - pi)
        return jnp.logaddexp(first + r, second)

    def activation(v):
        return -pi * jnp.logaddexp(first, second - v)

    def conjugate(v):
        return (1 - pi) * mixture(v)

    def f(r):
        return jnp.exp(r) * activation(r) - conjugate(r)

    return FDivergence(f, same, activation, conjugate)


def alpha_divergence(alpha: float) -> FDivergence:
    """`f(u) = (u^a - 1 - a (u - 1)) / (a (a - 1))`, `a = alpha`.

    Half of `pearson` at 2, half of `neyman` at -1, twice `squared_hellinger` at 1/2, and towards 1 and
    0 `kl` and `reverse_kl`. The critic's output is a log-ratio, times `max(1, a, 1 - a)` so that no
    exponential is of more than itself. Raises ValueError at 0 and 1.

    Amari (1985), Differential-Geometrical Methods in Statistics.
    """
    if alpha in (0, 1) or not math.isfinite(alpha):
        raise ValueError(
            f"alpha_divergence: got alpha={alpha}, wanted a finite number other than 0 and 1; "
            "use reverse_kl or kl there"
        )
    scale, less = max(1.0, alpha, 1 - alpha), alpha - 1

    def f(r):
        return (jnp.expm1(alpha * r) - alpha * jnp.expm1(r)) / (alpha * less)

    return FDivergence(
        f,
        optimal=lambda r: scale * r,
        activation=lambda v: jnp.expm1(less / scale * v) / less,
        conjugate=lambda v: jnp.expm1(alpha / scale * v) / alpha,
        gaussians=lambda p, q: alpha_of_gaussians(alpha, p, q),
    )


# every named one; the two that take a number stand beside them
NAMED: dict[str, FDivergence] = {
    "kl": kl,
    "reverse_kl": reverse_kl,
    "jeffreys": jeffreys,
    "pearson": pearson,
    "neyman": neyman,
    "squared_hellinger": squared_hellinger,
    "total_variation": total_variation,
    "jensen_shannon": jensen_shannon,
    "gan": gan,
}
