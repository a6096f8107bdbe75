"""The chain rule: each symbol drawn by the inverse CDF of its own uniform, given those before it."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Causal, Distribution, Exact, Network
from ..core.check import example
from ..core.network import passes
from .observation import categorical, integers


def autoregressive(
    network: Network | Causal, shape: tuple[int, ...], levels: int, name: str = "logits"
) -> Distribution[Exact]:
    """Symbols `0 .. levels-1` in raster order, `log p(x) = sum_i log p(x_i | x_<i)`.

    `network.apply(params, symbols, cond)` maps `i32[d]` to logits `f32[d, levels]`, row i seeing
    only the symbols before i. As a probability transformation: uniforms `u_1 .. u_d` are carried to
    symbols by `x_i = F_i^-1(u_i | x_<i)`; the map owns its uniforms, hence a distribution.

    Example: shape `(8, 8, 1)`, levels 17 samples `u8[8, 8, 1]`. Sampling makes d passes, or what a `Causal`
    network needs to unroll; the log-density of a sample is met on the way.
    Germain et al. (2015), arXiv:1502.03509. Raises ValueError for an `x` of another shape or of reals.
    """
    d = math.prod(shape)
    causal = network if isinstance(network, Causal) else passes(network, d)

    def quantile(logits, u):
        nats = jax.nn.log_softmax(logits)
        symbol = jnp.sum(jnp.cumsum(jnp.exp(nats))[:-1] <= u)
        return symbol, nats[symbol]

    def draw(params, key, cond, z):
        uniforms = jax.random.uniform(key, (d,)) if z is None else z.reshape(d)
        x, nats = causal.unroll(params[name], quantile, uniforms, cond)
        return uniforms.reshape(shape), x.reshape(shape).astype(integers(levels)), nats.sum()

    def stages(params, key, cond=None, z=None):
        return draw(params, key, cond, z)[:2]

    def sample(params, key, cond=None):
        return stages(params, key, cond)[1]

    def joint(params, key, cond=None):
        return draw(params, key, cond, None)[1:]

    def log_density(params, key, x, cond=None):
        example("autoregressive", x, shape, jnp.integer)
        logits = network.apply(params[name], x.reshape(d).astype(jnp.int32), cond)
        return categorical(shape, levels).log_prob(logits, x)

    return Distribution(
        lambda key: {name: network.init(key)}, sample, Exact(log_density), joint, stages
    )
