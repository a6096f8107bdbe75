"""A stochastic decoder with an encoder for its way back: the transform of a VAE."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Network, Transform
from ..distributions.encoded import Encoded
from ..distributions.observation import Observation


def decoder(decode: Network, encode: Network, observation: Observation) -> Transform[Encoded]:
    """`x ~ p(x|z)`, and back by `z ~ q(z|x)` with the weight `log p(x|z) - log q(z|x)`.

    `decode.apply(params, z, cond)` gives the numbers of the observation model;
    `encode.apply(params, x, cond)` gives `2k` numbers, mean and log-scale of q (log-scale in
    [-7, 3]). The block holds `{"decoder", "encoder"}`. The parts of the weight are
    `step.inverse.posterior` and `step.inverse.log_likelihood`.

    Example: `z: f32[k]`, `x` as the observation model has it. Kingma & Welling (2013), arXiv:1312.6114.
    Raises ValueError for an `x` that the observation model does not know, or an encoder of
    the wrong width.
    """

    def init(key):
        first, second = jax.random.split(key)
        return {"decoder": decode.init(first), "encoder": encode.init(second)}

    def forward(params, key, z, cond=None):
        return observation.sample(decode.apply(params["decoder"], z, cond), key)

    def log_likelihood(params, z, x, cond=None):
        try:
            numbers = decode.apply(params["decoder"], z, cond)
        except (TypeError, ValueError) as why:
            raise ValueError(
                f"decoder: got codes of shape {z.shape}, which its network does not take, wanted an encoder "
                f"that gives two numbers for each code it does; change its last layer ({why})"
            ) from why
        return observation.log_prob(numbers, x)

    def posterior(params, x, cond=None):
        jax.eval_shape(observation.log_prob, jnp.zeros(observation.size), x)  # raises for a wrong x
        numbers = encode.apply(params["encoder"], x, cond)
        if numbers.ndim != 1 or numbers.size % 2:
            raise ValueError(
                f"decoder: got an encoder that gives numbers of shape {numbers.shape}, wanted (2k,), a mean "
                "and a log-scale for each of k codes; widen its last layer"
            )
        mean, log_scale = jnp.split(numbers, 2)
        return mean, jnp.clip(log_scale, -7.0, 3.0)

    def inverse(params, key, x, cond=None):
        mean, log_scale = posterior(params, x, cond)
        noise = jax.random.normal(key, mean.shape)
        z = mean + jnp.exp(log_scale) * noise
        log_q = (jax.scipy.stats.norm.logpdf(noise) - log_scale).sum()
        return z, log_likelihood(params, z, x, cond) - log_q

    return Transform(init, forward, Encoded(inverse, posterior, log_likelihood))
