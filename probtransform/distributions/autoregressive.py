"""The chain rule: each symbol drawn by the inverse CDF of its own uniform, given those before it."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Distribution, Exact, Network
from ..core.check import example
from .observation import categorical, integers


def autoregressive(
    network: Network, shape: tuple[int, ...], levels: int, name: str = "logits"
) -> Distribution[Exact]:
    """Symbols `0 .. levels-1` in raster order, `log p(x) = sum_i log p(x_i | x_<i)`.

    `network.apply(params, symbols, cond)` maps `i32[d]` to logits `f32[d, levels]`, row i seeing
    only the symbols before i. As a probability transformation: uniforms `u_1 .. u_d` are carried to
    symbols by `x_i = F_i^-1(u_i | x_<i)`; the map owns its uniforms, hence a distribution.

    Example: shape `(8, 8, 1)`, levels 17 samples `u8[8, 8, 1]`. Sampling makes d passes.
    Germain et al. (2015), arXiv:1502.03509. Raises ValueError for an `x` of another shape or of reals.
    """
    d = math.prod(shape)

    def stages(params, key, cond=None, z=None):
        uniforms = jax.random.uniform(key, (d,)) if z is None else z.reshape(d)

        def draw(x, i_u):
            i, u = i_u
            cdf = jnp.cumsum(jax.nn.softmax(network.apply(params[name], x, cond)[i]))
            return x.at[i].set(jnp.sum(cdf[:-1] <= u)), None

        x, _ = jax.lax.scan(draw, jnp.zeros(d, jnp.int32), (jnp.arange(d), uniforms))
        return uniforms.reshape(shape), x.reshape(shape).astype(integers(levels))

    def sample(params, key, cond=None):
        return stages(params, key, cond)[1]

    def log_density(params, key, x, cond=None):
        example("autoregressive", x, shape, jnp.integer)
        logits = network.apply(params[name], x.reshape(d).astype(jnp.int32), cond)
        return categorical(shape, levels).log_prob(logits, x)

    return Distribution(
        lambda key: {name: network.init(key)}, sample, Exact(log_density), stages=stages
    )
