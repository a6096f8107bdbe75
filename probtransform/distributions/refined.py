"""Samples made better after training: base draws are moved to where a ratio wants them, then carried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Exact, Unnormalized, sample_stages
from ..core.check import positive


def refined(
    distribution: Distribution[Any],
    base: Distribution[Exact],
    log_ratio: Callable[..., Any],
    kernel: Callable[..., Any],
    steps: int,
) -> Distribution[Any]:
    """`p(x) exp(r(x)) / Z` of a sampler p, by a chain on its `base` and on the noise of its steps.

    `x(z, e)` is where the steps of `distribution` carry z by the noise e of their keys, one-to-one or not;
    the chain's target is `base(z) p(e) exp(r(x(z, e)))`: after every move of z by `kernel`, one of the shared
    walks, fresh noise is proposed, and always taken where nothing reads it. A sampler with noise of its own
    thus wants many `steps` of few moves. `log_ratio(params, x, cond)` is r, a scalar. With
    `r = log q(x) / p(x)` the law is q. That is the logit of a perfect critic: with it this is
    discriminator-driven latent sampling of a GAN, `refined(gan, normal((64,)), lambda params, x, cond:
    critic.apply(params["critic"], x, cond), mala(0.05, 100), 1)`. Claim: Unnormalized over an exact density,
    else None.

    Che et al. (2020), arXiv:2003.06060; Nijkamp et al. (2020), arXiv:2006.06897 (in the base of a flow).
    Raises ValueError for a base without an exact density, or no steps.
    """
    positive("refined", steps=steps)
    if not isinstance(base.density, Exact):
        raise ValueError(
            f"refined: got a base that claims {type(base.density).__name__}, wanted Exact; take the one "
            "whose draws the sampler carries, a normal one, say"
        )

    def stages(params, key, cond=None, z=None):
        begin, walk, noise = jax.random.split(key, 3)

        def carried(z, noise):
            return sample_stages(distribution, params, noise, cond, z)

        def ratio(z, noise):
            return log_ratio(params, carried(z, noise)[-1], cond)

        def move(z_noise, key):
            z, noise = z_noise
            step, fresh, accept = jax.random.split(key, 3)

            def log_density(z):
                return base.density.fn(params, noise, z, cond) + ratio(z, noise)

            z = kernel(step, z, log_density)[0]
            taken = jnp.log(jax.random.uniform(accept)) < ratio(z, fresh) - ratio(z, noise)
            return (z, jnp.where(taken, fresh, noise)), None

        if z is None:
            first = base.sample(params, begin, cond), noise
            (z, noise), _ = jax.lax.scan(move, first, jax.random.split(walk, steps))
        return carried(z, noise)

    def sample(params, key, cond=None):
        return stages(params, key, cond)[-1]

    if not isinstance(distribution.density, Exact):
        return Distribution(distribution.init, sample, None, stages=stages)

    def density(params, key, x, cond=None):
        return distribution.density.fn(params, key, x, cond) + log_ratio(params, x, cond)

    return Distribution(distribution.init, sample, Unnormalized(density), stages=stages)
