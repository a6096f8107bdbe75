"""Wasserstein distances of two samples, as objectives: exact, on a line, sliced and max-sliced.

All return the p-th power, `W_p^p = min over plans of E |x - y|^p`, whose slope is finite at zero, and
let gradients into both samples through a plan that is held fixed: at a best plan the plan's own
derivative does not count (Danskin). Samples are `f32[n, d]` and `f32[m, d]`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..coupling.assignment import assignment
from ..coupling.cost import between


def wasserstein(x, y, order: float = 2.0):
    """`min_s mean_i |x_s(i) - y_i|^p` over permutations s: exact for equally many draws.

    The host finds the permutation, in a time that grows as n^3: milliseconds for a few hundred.
    Raises ValueError for samples of two shapes or an order below one.
    """
    at_least_one("wasserstein", order)
    if jnp.shape(x) != jnp.shape(y):
        raise ValueError(
            f"wasserstein: got samples of shapes {jnp.shape(x)} and {jnp.shape(y)}, wanted one; cut the "
            "larger, or use sliced_wasserstein or sinkhorn_divergence"
        )
    best = assignment(jax.lax.stop_gradient(between(y, x) ** (order / 2)))
    return jnp.mean(length(x[best] - y, order))


def wasserstein_on_a_line(x, y, order: float = 2.0):
    """W_p^p of `x: f32[n, ...]` and `y: f32[m, ...]` along the first axis, each column alone: `f32[...]`.

    On a line the best plan joins equal quantiles, for every p at once: sort both.
    Raises ValueError for an order below one.
    """
    at_least_one("wasserstein_on_a_line", order)
    i, j, mass = quantile_coupling(len(x), len(y))
    apart = jnp.abs(jnp.sort(x, 0)[i] - jnp.sort(y, 0)[j])
    return jnp.tensordot(jnp.asarray(mass, apart.dtype), apart**order, 1)


def sliced_wasserstein(key, x, y, projections: int = 64, order: float = 2.0):
    """`E_a W_p^p(a.x, a.y)` over `projections` directions, uniform on the sphere.

    Time n log n. A shift by s is `|s|^2 / d` away at p = 2. Bonneel et al. (2015), JMIV 51.
    """
    a = directions(key, projections, x)
    return jnp.mean(wasserstein_on_a_line(x @ a.T, y @ a.T, order))


def max_sliced_wasserstein(key, x, y, projections: int = 64, steps: int = 10, order: float = 2.0):
    """`max_a W_p^p(a.x, a.y)` over unit directions: the one slice in which the samples differ most.

    The best of `projections` random directions, and of `steps` more that follow the slope from there;
    so a bound from below, tight where the slope leads to the top. Deshpande et al. (2019),
    arXiv:1904.05877.
    """
    still = jax.lax.stop_gradient((x, y))

    def along(a, x, y):
        return wasserstein_on_a_line(x @ a, y @ a, order)

    def uphill(a, _):
        value, slope = jax.value_and_grad(along)(a, *still)
        return slope / (jnp.linalg.norm(slope) + 1e-30), (value, a)

    tried = directions(key, projections, x)
    first = tried[jnp.argmax(jax.vmap(along, (0, None, None))(tried, *still))]
    # at p = 2 and for a fixed plan W is quadratic in a: to go where the slope points is the power method
    _, (values, seen) = jax.lax.scan(uphill, first, length=steps + 1)
    return along(seen[jnp.argmax(values)], x, y)


def directions(key, count: int, x):
    a = jax.random.normal(key, (count, x.shape[1]), x.dtype)
    return a / jnp.linalg.norm(a, axis=1, keepdims=True)


def length(v, order: float):
    """`|v|^p` of rows, with the slope zero at v = 0, where that of the root is not a number."""
    squares = jnp.sum(v**2, -1)
    if order == 2:
        return squares
    apart = squares > 0
    return jnp.where(apart, jnp.where(apart, squares, 1) ** (order / 2), 0)


def quantile_coupling(n: int, m: int):
    """The best plan on a line: mass `mass[k]` goes from the `i[k]`-th smallest of n to the `j[k]`-th of m.

    Both quantile functions are steps; between two neighbours of the cuts {1/n, .., 1} and {1/m, .., 1}
    neither moves. The cuts are whole numbers here, in units of 1/(n m).
    """
    cuts = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    start = np.concatenate([[0], cuts[:-1]])
    return start // m, start // n, (cuts - start) / (n * m)


def at_least_one(who: str, order: float) -> None:
    if not order >= 1:
        raise ValueError(f"{who}: got order={order}, wanted at least 1; pass 1 or 2")
