"""Samples made better after training: base draws are moved to where a ratio wants them, then carried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..core import Distribution, Exact, Unnormalized, sample_stages
from ..core.check import positive


def refined(
    distribution: Distribution[Any],
    base: Distribution[Exact],
    log_ratio: Callable[..., Any],
    kernel: Callable[..., Any],
    steps: int,
) -> Distribution[Any]:
    """`p(x) exp(r(x)) / Z` of a sampler p, by a chain on its `base`, whose target is `base(z) exp(r(x(z)))`.

    `x(z)` is where the steps of `distribution` carry z, one-to-one or not, as long as they ignore their keys;
    `log_ratio(params, x, cond)` is r, a scalar; `kernel` one of the shared walks. With `r = log q(x) / p(x)`
    the law is q. That is the logit of a perfect critic: with it this is discriminator-driven latent sampling
    of a GAN, `refined(gan, normal((64,)), lambda params, x, cond: critic.apply(params["critic"], x, cond),
    mala(0.05, 100), 1)`. Claim: Unnormalized over an exact density, else None.

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
        begin, walk, carry = jax.random.split(key, 3)

        def carried(z):
            return sample_stages(distribution, params, carry, cond, z)

        def log_density(z):
            return base.density.fn(params, carry, z, cond) + log_ratio(params, carried(z)[-1], cond)

        def move(z, key):
            return kernel(key, z, log_density)[0], None

        if z is None:
            first = base.sample(params, begin, cond)
            z, _ = jax.lax.scan(move, first, jax.random.split(walk, steps))
        return carried(z)

    def sample(params, key, cond=None):
        return stages(params, key, cond)[-1]

    if not isinstance(distribution.density, Exact):
        return Distribution(distribution.init, sample, None, stages=stages)

    def density(params, key, x, cond=None):
        return distribution.density.fn(params, key, x, cond) + log_ratio(params, x, cond)

    return Distribution(distribution.init, sample, Unnormalized(density), stages=stages)
