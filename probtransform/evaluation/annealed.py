"""Annealed importance sampling, from both ends: what a normalising constant is, between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Sandwich(NamedTuple):
    """`E[lower] <= log Z_1/Z_0 <= E[upper]`, in nats, and the standard errors of both estimates.

    acceptance: of the moves, a mean over chains and temperatures, of each side.
    """

    lower: Any
    upper: Any
    lower_se: Any
    upper_se: Any
    acceptance: Any


def annealed(log_density: Callable[..., Any], betas, moves: Callable[..., Any]):
    """`(key, x) -> (log_weight, acceptance)` of one chain from temperature `betas[0]` to `betas[-1]`.

    `log_density(beta, x)` are unnormalised densities of a family in which beta interpolates, `moves(beta)` a
    kernel that leaves that one invariant, such as `hmc(0.1)` for all. With x drawn from the first of them,
    `log w = sum_k log f_{k+1}(x_k) - log f_k(x_k)` has `E[w] = Z_last / Z_first`.

    Neal (2001), arXiv:physics/9803008.
    """
    betas = jnp.asarray(betas, jnp.float32)

    def chain(key, x):
        def warm(x, at):
            key, low, high = at
            gain = log_density(high, x) - log_density(low, x)
            x, acceptance = moves(high)(key, x, lambda x: log_density(high, x))
            return x, (gain, acceptance)

        keys = jax.random.split(key, len(betas) - 1)
        _, (gains, acceptance) = jax.lax.scan(warm, x, (keys, betas[:-1], betas[1:]))
        return gains.sum(), acceptance.mean()

    return chain


def sandwich(log_density, key, starts, ends, betas, moves) -> Sandwich:
    """`log Z_1/Z_0` from below, by chains from `starts ~ f_0`, and from above, by chains from `ends ~ f_1`.

    `starts, ends: [chains, *event]` are exact draws of the densities at `betas[0]` and `betas[-1]`; by
    Jensen's inequality `log mean w` is low on average and `-log mean 1/w` high (bidirectional Monte
    Carlo). For a latent model, `f_0 = p(z)`, `f_1 = p(z) p(x|z)`, and an exact draw of the posterior
    comes with an x that the model made itself; `ends=None` leaves the upper side out.

    Example: 64 chains in two dimensions, `starts: f32[64, 2]`, `betas = jnp.linspace(0, 1, 200)`.
    Grosse et al. (2015), arXiv:1511.02543. Raises ValueError for fewer than two chains or temperatures.
    """
    for name, many in (("starts", starts), ("ends", ends), ("betas", betas)):
        if many is not None and count(many) < 2:
            raise ValueError(
                f"sandwich: got {count(many)} {name}, wanted at least 2; draw more chains, or more betas"
            )

    def side(key, xs, betas):
        keys = jax.random.split(key, count(xs))
        return jax.vmap(annealed(log_density, betas, moves))(keys, xs)

    up, down = jax.random.split(key)
    forward, acceptance = side(up, starts, betas)
    lower, lower_se = log_mean_exp(forward)
    if ends is None:
        return Sandwich(lower, jnp.inf, lower_se, jnp.inf, acceptance.mean())
    reverse, back = side(down, ends, jnp.asarray(betas)[::-1])
    upper, upper_se = log_mean_exp(reverse)
    return Sandwich(lower, -upper, lower_se, upper_se, (acceptance.mean() + back.mean()) / 2)


def count(chains) -> int:
    return len(jax.tree.leaves(chains)[0])


def log_mean_exp(log_weights):
    """`log mean w` and its standard error by the delta method: that of `mean w`, over `mean w`."""
    n = len(log_weights)
    mean = jax.nn.logsumexp(log_weights) - math.log(n)
    relative = jnp.exp(log_weights - mean)
    return mean, relative.std(ddof=1) / math.sqrt(n)
