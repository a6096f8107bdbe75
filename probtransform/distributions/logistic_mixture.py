"""A mixture of logistics cut into levels: few numbers for a distribution over many ordered symbols."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import example, positive
from .autoregressive import Conditional
from .observation import Observation, integers, is_level


def discretized_logistic_mixture(
    shape: tuple[int, ...], levels: int, components: int = 5
) -> Observation:
    """`mixture_of_logistics` as an observation model: `3 components` numbers for each entry of `shape`.

    Example: `discretized_logistic_mixture((28, 28, 1), 256)` reads `f32[784 * 15]`, samples `u8[28, 28, 1]`.
    Salimans et al. (2017), arXiv:1701.05517. Raises ValueError for no components, fewer than two levels, or
    an `x` of another shape or of reals.
    """
    positive("discretized_logistic_mixture", components=components)
    law, d = mixture_of_logistics(levels), math.prod(shape)

    def sample(numbers, key):
        uniforms = jax.random.uniform(key, (d,))
        drawn = jax.vmap(law.quantile)(numbers.reshape(d, -1), uniforms)
        return drawn.astype(integers(levels)).reshape(shape)

    def log_prob(numbers, x):
        example("discretized logistic mixture observation", x, shape, jnp.integer)
        return law.log_prob(numbers.reshape(d, -1), x.reshape(-1))

    return Observation(3 * components * d, sample, log_prob)


def mixture_of_logistics(levels: int) -> Conditional:
    """`F(x) = sum_k w_k sigmoid((x + 1/2 - m_k)/s_k)` on `0 .. levels-2`, 1 above; three numbers a component.

    So the outer cells reach to infinity. Of `f32[3 k]`, the first k give `w = softmax`, then come k means and
    k log-scales, these in [-5, 3] in units of `levels / 8`. Zeros stand for means spread evenly over the
    levels, so that no two components are ever the same. A quantile is found by halving, in `log2 levels`
    values of the distribution function.

    Salimans et al. (2017), arXiv:1701.05517. Raises ValueError for fewer than two levels, or if the numbers
    are not three a component.
    """

    def log_prob(numbers, x):
        weight, middle, scale = parts(numbers, levels)
        x = x[:, None].astype(jnp.int32)
        # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a)); a cell
        # that reaches to infinity lacks one of the first two, and the last
        below, above = (x - 0.5 - middle) / scale, (x + 0.5 - middle) / scale
        lower, upper = jax.nn.log_sigmoid(above), jax.nn.log_sigmoid(-below)
        inner = lower + upper + jnp.log(-jnp.expm1(-1 / scale))
        mass = jnp.where(x == 0, lower, jnp.where(x == levels - 1, upper, inner))
        nats = jax.nn.logsumexp(jax.nn.log_softmax(weight) + mass, -1).sum()
        return jnp.where(is_level(x, levels).all(), nats, -jnp.inf)

    def quantile(numbers, u):
        weight, middle, scale = parts(numbers, levels)
        weight = jax.nn.softmax(weight)
        side = jnp.where(u < 0.5, 1.0, -1.0)  # from the nearer end, where floats are finer
        symbol = jnp.zeros((), jnp.int32)
        for bit in reversed(range((levels - 1).bit_length())):
            higher = symbol + 2**bit
            mass = weight @ jax.nn.sigmoid(side * (higher - 0.5 - middle) / scale)
            passed = side * mass <= side * jnp.minimum(u, 1 - u)
            symbol = jnp.where(passed & (higher < levels), higher, symbol)
        return symbol

    return Conditional(log_prob, quantile)


def parts(numbers, levels: int):
    """Logits of the weights, middles and scales, in units of a level, of the components."""
    size = numbers.shape[-1]
    if levels < 2 or size % 3 or not size:
        raise ValueError(
            f"mixture_of_logistics: got {size} numbers for {levels} levels, wanted three a component and two "
            "levels or more; change them"
        )
    weight, mean, log_scale = jnp.split(numbers, 3, -1)
    spread = (np.arange(size // 3) + 0.5) * 6 / size - 1
    scale = jnp.exp(jnp.clip(log_scale, -5.0, 3.0)) * levels / 8
    return weight, (mean + spread + 1) * levels / 2 - 0.5, scale
