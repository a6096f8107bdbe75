"""A mixture of logistics cut into levels: few numbers for a distribution over many ordered symbols."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .autoregressive import Conditional
from .observation import is_level


def mixture_of_logistics(levels: int) -> Conditional:
    """`logistic_mixture` as the conditional of a chain: weighed at one symbol, drawn from all levels.

    Salimans et al. (2017), arXiv:1701.05517.
    """

    def log_prob(numbers, x):
        weight, middle, scale = parts(numbers, levels)
        x = x[:, None].astype(jnp.int32)
        below, above = (x - 0.5 - middle) / scale, (x + 0.5 - middle) / scale
        lower, upper = jax.nn.log_sigmoid(above), jax.nn.log_sigmoid(-below)
        inner = lower + upper + jnp.log(-jnp.expm1(-1 / scale))
        mass = jnp.where(x == 0, lower, jnp.where(x == levels - 1, upper, inner))
        nats = jax.nn.logsumexp(jax.nn.log_softmax(weight) + mass, -1).sum()
        return jnp.where(is_level(x, levels).all(), nats, -jnp.inf)

    return Conditional(log_prob, partial(logistic_mixture, levels=levels))


def logistic_mixture(numbers, levels: int):
    """Log-probabilities `f32[..., levels]` of `f32[..., 3 k]`: weights, means, log-scales of k logistics.

    `P(x) = sum_k w_k (sigmoid((x + 1/2 - m_k)/s_k) - sigmoid((x - 1/2 - m_k)/s_k))`, the outer cells reaching
    to infinity, with `w = softmax` of the first k numbers, log-scale in [-5, 3] in units of `levels / 8`.
    Zeros stand for k means spread evenly over the levels, so that no two components are ever the same.

    Salimans et al. (2017), arXiv:1701.05517. Raises ValueError for fewer than two levels, or if `numbers` are
    not three a component.
    """
    weight, middle, scale = parts(numbers[..., None, :], levels)
    edges = np.arange(1, levels, dtype="float32")[:, None] - 0.5
    t = (edges - middle) / scale
    # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a)); a cell that
    # reaches to infinity lacks one of the first two, and the last
    below, above = jax.nn.log_sigmoid(t), jax.nn.log_sigmoid(-t)
    inner = below[..., 1:, :] + above[..., :-1, :] + jnp.log(-jnp.expm1(-1 / scale))
    mass = jnp.concatenate([below[..., :1, :], inner, above[..., -1:, :]], -2)
    return jax.nn.logsumexp(jax.nn.log_softmax(weight) + mass, -1)


def parts(numbers, levels: int):
    """Logits of the weights, middles and scales, in units of a level, of the components."""
    size = numbers.shape[-1]
    if levels < 2 or size % 3 or not size:
        raise ValueError(
            f"logistic_mixture: got {size} numbers for {levels} levels, wanted three a component and two "
            "levels or more; change them"
        )
    weight, mean, log_scale = jnp.split(numbers, 3, -1)
    spread = (np.arange(size // 3) + 0.5) * 6 / size - 1
    scale = jnp.exp(jnp.clip(log_scale, -5.0, 3.0)) * levels / 8
    return weight, (mean + spread + 1) * levels / 2 - 0.5, scale
