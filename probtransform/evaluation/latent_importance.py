"""The likelihood of a decoder by importance sampling from its encoder, for thousands of draws."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Bound, Distribution, Exact, Transform
from ..core.check import positive
from ..objectives.importance_weighted import latent_weights


def latent_importance(
    prior: Distribution[Exact],
    step: Transform[Any],
    samples: int,
    at_once: int = 50,
    name: str = "decoder",
) -> Bound:
    """`log 1/k sum_i p(x, z_i) / q(z_i|x)` over k = `samples` draws, for `pushforward(prior, decoder=step)`.

    The same number as `importance` finds of any bound; of this one the encoder is run once an example,
    and `at_once` draws are decoded in one product of matrices, then the next ones.

    Example: `distribution._replace(density=latent_importance(normal((20,)), step, 5000))`.
    Burda et al. (2015), arXiv:1509.00519. Raises ValueError for a step without an encoder, or no samples.
    """
    positive("latent_importance", samples=samples, at_once=at_once)
    weights, size = latent_weights(prior, step, name), min(samples, at_once)

    def log_mean_weight(params, key, x, cond=None):
        draw, look = jax.random.split(key)
        mean, log_scale = posterior = step.inverse.posterior(params[name], x, cond)

        def some(key):
            noise = jax.random.normal(key, (size, *mean.shape))
            return weights(params, look, mean + jnp.exp(log_scale) * noise, posterior, x, cond)

        log_w = jax.lax.map(some, jax.random.split(draw, -(-samples // size)))
        return jax.nn.logsumexp(log_w.reshape(-1)[:samples]) - math.log(samples)

    return Bound(log_mean_weight)
