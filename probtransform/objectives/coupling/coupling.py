"""Couplings of base and data: which draw goes with which example.

A coupling is `(key, z, x, cond) -> i`, `int32 [n]`: example `x_j` is paired with `z[i_j]`. Only draws are
permuted, so data and conditions stay in place, each once: a loss takes `z[coupling(key, z, x, cond)]`.

A good coupling straightens the paths of flow matching and calms its targets. All run under jit and vmap
and pass no gradient. `cost` says what a pair costs; with conditions use `within_classes` or `conditioned`.

Tong et al. (2023), arXiv:2302.00482; Pooladian et al. (2023), arXiv:2304.14772.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .assignment import assignment
from .cost import Cost, squared

Coupling = Callable[[Any, Any, Any, Any], Any]


def independent() -> Coupling:
    """Every example keeps the draw of its place, `i_j = j`: the product of base and data."""
    return lambda key, z, x, cond: jnp.arange(len(x), dtype=jnp.int32)


def optimal(cost: Cost = squared) -> Coupling:
    """The permutation of least total cost, `min_i sum_j c(z[i_j], x_j)`: exact minibatch transport.

    Every draw is used once, so the base of a batch is what it was. The host solves it: milliseconds for a
    few hundred pairs, growing as their cube.
    """
    return lambda key, z, x, cond: assignment(settled(cost, z, x, cond))


def sinkhorn(epsilon: float, cost: Cost = squared) -> Coupling:
    """A draw of `i_j` from row j of the entropic plan, `min_P <P, C> + epsilon KL(P || 1/n^2)`.

    `epsilon`, in squared units of the data, leads from `optimal` (0) to `independent` (infinity). A draw may
    serve twice or never: the base is kept in expectation. With `epsilon = 2 s^2` this is the static
    Schrödinger bridge of a Brownian motion of variance s^2. Raises ValueError unless epsilon > 0.
    """
    return unbalanced(epsilon, 1.0, cost)


def unbalanced(epsilon: float, tau: float, cost: Cost = squared) -> Coupling:
    """`sinkhorn` whose marginals are but priced, at `r KL` each with `tau = r / (r + epsilon)`.

    An outlier then no longer drags far draws towards it at the expense of all others. Each example still
    counts once, but the base is kept only at `tau = 1`; towards 0 each takes a draw from near it, and a
    flow then starts from a base it was not trained on. Raises ValueError unless epsilon > 0 and
    0 < tau <= 1.

    Chizat et al. (2018), arXiv:1607.05816; Eyring et al. (2024), arXiv:2311.15100.
    """
    if not 0 < epsilon < float("inf") or not 0 < tau <= 1:
        raise ValueError(
            f"coupling: got epsilon={epsilon} and tau={tau}, wanted epsilon above zero and tau in (0, 1]; "
            "use `optimal` or `independent` for the limits"
        )

    def coupling(key, z, x, cond):
        logits = log_plan(settled(cost, z, x, cond), epsilon, tau)
        return jax.random.categorical(key, logits).astype(jnp.int32)

    return coupling


def log_plan(cost, epsilon: float, tau: float = 1.0, threshold: float = 1e-3):
    """The log of the entropic plan of `cost: [n, m]` between uniform marginals, each of mass 1.

    Stops at marginals within `threshold`, or after 2000 rounds. Cuturi (2013), arXiv:1306.0895.
    """
    # ott takes seconds to import, which nobody else should wait for
    from ott.geometry.geometry import Geometry
    from ott.problems.linear.linear_problem import LinearProblem
    from ott.solvers.linear.sinkhorn import Sinkhorn

    problem = LinearProblem(Geometry(cost, epsilon=epsilon), tau_a=tau, tau_b=tau)
    out = Sinkhorn(threshold=threshold)(problem)
    return (out.f[:, None] + out.g - cost) / epsilon


def settled(cost: Cost, z, x, cond):
    """The cost matrix, held fixed: nothing is learned through the choice of a pair."""
    return jax.lax.stop_gradient(cost(z, x, cond))
