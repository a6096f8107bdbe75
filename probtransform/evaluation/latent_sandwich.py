"""The likelihood of a decoder between two bounds, by annealing from its encoder to its posterior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm

from ..core import Distribution, Exact, Transform
from ..distributions.encoded import Encoded
from .annealed import Sandwich, sandwich


def latent_sandwich(
    prior: Distribution[Exact],
    step: Transform[Any],
    betas,
    move: Callable[..., Any],
    chains: int = 32,
    name: str = "decoder",
) -> Callable[..., Sandwich]:
    """`(params, key, x, cond=None, z=None) -> Sandwich` of `log p(x)` of ONE example, in nats.

    The model is `pushforward(prior, decoder=step)`, its block `name`. Chains go from the encoder's
    `q = N(mean, diag exp(2 log_scale))` to the posterior along `q^(1-b) (p(z) p(x|z))^b`, in coordinates in
    which q is standard: `move` needs no scale of its own. With two temperatures it is importance sampling.

    From above the chains must begin at a draw of the posterior, and there is one only where the model made x:
    give its z, such as `sample_stages` shows; without it the upper side is infinite. The chains from one
    z share a start, so take means and errors over examples.

    Example: `latent_sandwich(normal((16,)), step, jnp.linspace(0, 1, 100), hmc(0.1))`.
    Wu et al. (2016), arXiv:1611.04273; Grosse et al. (2015), arXiv:1511.02543.
    Raises ValueError for a step without an encoder, and as `sandwich` does.
    """
    way = step.inverse
    if not isinstance(way, Encoded):
        raise ValueError(
            f"latent_sandwich: got a step whose way back is {type(way).__name__}, wanted Encoded, that of a "
            "decoder with an encoder; make it by transforms.decoder"
        )

    def between(params, key, x, cond=None, z=None):
        begin, climb, look = jax.random.split(key, 3)
        mean, log_scale = way.posterior(params[name], x, cond)

        def tempered(beta, u):
            z = mean + jnp.exp(log_scale) * u
            nats = prior.density.fn(params, look, z, cond) + log_scale.sum()
            nats = nats + way.log_likelihood(params[name], z, x, cond)
            return (1 - beta) * norm.logpdf(u).sum() + beta * nats

        starts = jax.random.normal(begin, (chains, *mean.shape))
        ends = None if z is None else (z - mean) / jnp.exp(log_scale) + 0 * starts
        return sandwich(tempered, climb, starts, ends, betas, lambda beta: move)

    return between
