"""A stochastic decoder with an encoder for its way back: the transform of a VAE."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Bound, Network, Transform
from ..distributions.observation import Observation


def decoder(decode: Network, encode: Network, observation: Observation) -> Transform[Bound]:
    """`x ~ p(x|z)`, and back by `z ~ q(z|x)` with the weight `log p(x|z) - log q(z|x)`.

    `decode.apply(params, z, cond)` gives the numbers of the observation model;
    `encode.apply(params, x, cond)` gives `2k` numbers, mean and log-scale of q (log-scale in
    [-7, 3]). The block holds `{"decoder", "encoder"}`.

    Example: `z: f32[k]`, `x` as the observation model has it. Kingma & Welling (2013), arXiv:1312.6114.
    """

    def init(key):
        first, second = jax.random.split(key)
        return {"decoder": decode.init(first), "encoder": encode.init(second)}

    def forward(params, key, z, cond=None):
        return observation.sample(decode.apply(params["decoder"], z, cond), key)

    def inverse(params, key, x, cond=None):
        jax.eval_shape(observation.log_prob, jnp.zeros(observation.size), x)  # raises for a wrong x
        mean, log_scale = jnp.split(encode.apply(params["encoder"], x, cond), 2)
        log_scale = jnp.clip(log_scale, -7.0, 3.0)
        noise = jax.random.normal(key, mean.shape)
        z = mean + jnp.exp(log_scale) * noise
        log_q = (jax.scipy.stats.norm.logpdf(noise) - log_scale).sum()
        return z, observation.log_prob(decode.apply(params["decoder"], z, cond), x) - log_q

    return Transform(init, forward, Bound(inverse))
