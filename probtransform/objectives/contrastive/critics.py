"""Critics made of encoders: a pair fits as far as its embeddings point the same way."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ...core import Network
from ...core.check import above_zero
from .nt_xent import unit
from .sides import sharpness


def cosine(embed: Network, temperature: float) -> Network:
    """`f(x, y) = cos(g(x), g(y)) / temperature`, one encoder g for both. Parameters are those of g.

    Raises ValueError unless `temperature` is above zero.
    """
    above_zero("cosine", temperature=temperature)

    def apply(params, x, y):
        return jnp.vdot(*(unit(embed.apply(params, v)) for v in (x, y))) / temperature

    return Network(embed.init, apply)


def two_sides(
    left: Network, right: Network, temperature: float = 0.07, bias: float = 0.0
) -> Network:
    """`f(x, y) = sharpness(log_scale) cos(g(x), h(y)) + bias`, an encoder for each side.

    Parameters are `{"left", "right", "log_scale", "bias"}`, of which the last two begin at `-log temperature`
    and `bias`. Radford et al. (2021), arXiv:2103.00020; Zhai et al. (2023), arXiv:2303.15343.
    Raises ValueError unless `temperature` is above zero.
    """
    above_zero("two_sides", temperature=temperature)

    def init(key):
        first, second = jax.random.split(key)
        sides = {"left": left.init(first), "right": right.init(second)}
        return sides | {"log_scale": jnp.array(-math.log(temperature)), "bias": jnp.array(bias)}

    def apply(params, x, y):
        a, b = left.apply(params["left"], x), right.apply(params["right"], y)
        return sharpness(params["log_scale"]) * jnp.vdot(unit(a), unit(b)) + params["bias"]

    return Network(init, apply)
