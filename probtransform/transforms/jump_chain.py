"""A chain of jumps from noise to symbols, by what a network believes, as a stochastic decoder."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Bound, Network, Transform
from ..core.check import example, positive
from ..distributions.observation import integers, is_level
from ..integrate.jumps import Jumps
from ..paths.discrete import DiscretePath, believed, drawn


def jump_chain(
    network: Network, path: DiscretePath, jumps: Jumps, shape: tuple[int, ...], steps: int = 64
) -> Transform[Bound]:
    """`x_0 -> x_(1/T) -> ... -> x_1` in T = `steps` draws of `jumps`, whose belief is the network's.

    `network.apply(params, x, t, cond)` gives logits `f32[d, K]` of the data for states `x: i32[d]`. The way
    back is a chain drawn from the same jumps with x known, and the weight
    `sum_k log p(x_(k+1) | x_k) - log q(x_(k+1) | x_k, x) - log noise(x_0)`: a ratio of densities of whole
    chains, so that the mean of its exponential is at most p(x), and importance weights sharpen the bound.

    Example: `z: i32[64]`, `x: u8[8, 8, 1]`. Austin et al. (2021), arXiv:2107.03006.
    Raises ValueError for an `x` of another shape or of reals, or for no steps.
    """
    positive("jump_chain", steps=steps)

    def law(params, x, t, cond):
        return believed(network.apply(params, x, t, cond))

    def rows(key):
        grid = jnp.arange(steps + 1) / steps
        return jax.random.split(key, steps), grid[:-1], grid[1:]

    def forward(params, key, z, cond=None):
        def step(x, row):
            key, t, s = row
            return drawn(key, jumps.step(law(params, x, t, cond), x, t, s)), None

        x, _ = jax.lax.scan(step, z, rows(key))
        return x.reshape(shape).astype(integers(path.levels))

    def inverse(params, key, x, cond=None):
        example("jump_chain", x, shape, jnp.integer)
        x = x.reshape(-1).astype(jnp.int32)
        known = path.known(x)
        first, rest = jax.random.split(key)
        z = drawn(first, path.marginal(known, 0.0))

        def step(at, row):
            key, t, s = row
            p, q = (jumps.step(end, at, t, s) for end in (law(params, at, t, cond), known))
            ahead = drawn(key, q)
            return ahead, log_at(p, ahead) - log_at(q, ahead)

        _, weights = jax.lax.scan(step, z, rows(rest))
        weight = weights.sum() - log_at(path.marginal(known, 0.0), z)
        return z, jnp.where(is_level(x, path.levels).all(), weight, -jnp.inf)

    return Transform(network.init, forward, Bound(inverse))


def log_at(probabilities, x):
    """`sum_i log p_i(x_i)` of `f32[d, S]`."""
    return jnp.log(jnp.take_along_axis(probabilities, x[:, None], -1)).sum()
