"""The chain rule: each symbol drawn by the inverse CDF of its own uniform, given those before it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ..core import Causal, Distribution, Exact, Network
from ..core.check import example
from ..core.network import passes
from .observation import categorical, integers


class Conditional(NamedTuple):
    """What a row of a network's numbers says of one symbol.

    log_prob: `(numbers, x) -> scalar`, the sum over rows of the log-mass of each row's own symbol,
              `numbers: f32[d, outputs]`, `x: i32[d]`.
    quantile: `(numbers, u) -> symbol`, the least whose distribution function exceeds u in [0, 1),
              `numbers: f32[outputs]` of one row.
    """

    log_prob: Callable
    quantile: Callable


def autoregressive(
    network: Network | Causal,
    shape: tuple[int, ...],
    levels: int,
    name: str = "logits",
    conditional: Conditional | None = None,
) -> Distribution[Exact]:
    """Symbols `0 .. levels-1` in raster order, `log p(x) = sum_i log p(x_i | x_<i)`.

    `network.apply(params, symbols, cond)` maps `i32[d]` to logits `f32[d, levels]`, row i seeing
    only the symbols before i, or to the numbers of another `conditional` law. As a probability
    transformation: uniforms `u_1 .. u_d` are carried to symbols by `x_i = F_i^-1(u_i | x_<i)`; the map owns
    its uniforms, hence a distribution.

    Example: shape `(8, 8, 1)`, levels 17 samples `u8[8, 8, 1]`. Sampling makes d passes, or what a `Causal`
    network needs to unroll; the log-density of a sample is met on the way.
    Germain et al. (2015), arXiv:1502.03509. Raises ValueError for an `x` of another shape or of reals.
    """
    d = math.prod(shape)
    causal = network if isinstance(network, Causal) else passes(network, d)

    law = conditional or free(levels)

    def answer(numbers, u):
        symbol = law.quantile(numbers, u)
        return symbol, law.log_prob(numbers[None], symbol[None])

    def draw(params, key, cond, z):
        uniforms = jax.random.uniform(key, (d,)) if z is None else z.reshape(d)
        x, nats = causal.unroll(params[name], answer, uniforms, cond)
        return uniforms.reshape(shape), x.reshape(shape).astype(integers(levels)), nats.sum()

    def stages(params, key, cond=None, z=None):
        return draw(params, key, cond, z)[:2]

    def sample(params, key, cond=None):
        return stages(params, key, cond)[1]

    def joint(params, key, cond=None):
        return draw(params, key, cond, None)[1:]

    def log_density(params, key, x, cond=None):
        example("autoregressive", x, shape, jnp.integer)
        symbols = x.reshape(d).astype(jnp.int32)
        return law.log_prob(network.apply(params[name], symbols, cond), symbols)

    return Distribution(
        lambda key: {name: network.init(key)}, sample, Exact(log_density), joint, stages
    )


def free(levels: int) -> Conditional:
    """A logit for each symbol, `log P(x) = log softmax(numbers)[x]`."""

    def log_prob(numbers, x):
        return categorical(x.shape, levels).log_prob(numbers, x)

    def quantile(numbers, u):
        return jnp.sum(jnp.cumsum(jax.nn.softmax(numbers))[:-1] <= u)

    return Conditional(log_prob, quantile)
