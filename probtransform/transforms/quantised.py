"""A decoder of symbols, with an encoder whose numbers are rounded to them for its way back."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Network, Transform
from ..core.check import example
from ..distributions.observation import Observation
from ..distributions.quantised import Quantised, Quantiser


def quantised(
    quantiser: Quantiser, decode: Network, encode: Network, observation: Observation
) -> Transform[Quantised]:
    """`x ~ p(x | vector(s))` of symbols s, and back by `s ~ q(s|x)` with `log p(x|s) - log q(s|x)`.

    `encode.apply(params, x, cond)` gives the `size` numbers of the quantiser, `decode.apply(params, z, cond)`
    those of the observation model. Where the paper's q is all on the nearest symbols, this one draws them,
    near ones most: the same bound as sharpness grows, and one that importance weights can close, since a q
    that leaves symbols out never sees the mass that they give to x. The block holds `{"decoder", "encoder",
    "codes"}`.

    Example: `s: i32[symbols]`, `x` as the observation model has it. van den Oord et al. (2017),
    arXiv:1711.00937; drawn codes, Takida et al. (2022), arXiv:2205.07547. Raises ValueError for an `x` that
    the observation model does not know, symbols of another shape, or an encoder of another width.
    """

    def init(key):
        first, second, third = jax.random.split(key, 3)
        codes = quantiser.init(third)
        return {"decoder": decode.init(first), "encoder": encode.init(second), "codes": codes}

    def forward(params, key, s, cond=None):
        example("quantised", s, (quantiser.symbols,), jnp.integer)
        z = quantiser.vector(params["codes"], s)
        return observation.sample(decode.apply(params["decoder"], z, cond), key)

    def log_likelihood(params, z, x, cond=None):
        return observation.log_prob(decode.apply(params["decoder"], z, cond), x)

    def read(params, x, cond=None):
        jax.eval_shape(observation.log_prob, jnp.zeros(observation.size), x)  # raises for a wrong x
        numbers = encode.apply(params["encoder"], x, cond)
        if numbers.shape != (quantiser.size,):
            raise ValueError(
                f"quantised: got an encoder that gives numbers of shape {numbers.shape}, wanted "
                f"({quantiser.size},), what the quantiser rounds; change its last layer"
            )
        return quantiser.within(numbers)

    def inverse(params, key, x, cond=None):
        s, log_q = quantiser.draw(params["codes"], key, read(params, x, cond))
        return s, log_likelihood(params, quantiser.vector(params["codes"], s), x, cond) - log_q

    return Transform(init, forward, Quantised(inverse, quantiser, read, log_likelihood))
