"""The VampPrior: a mixture of what an encoder says of some inputs that are learned."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm

from ..core import Distribution, Exact
from ..core.check import example, positive


def posterior_mixture(
    posterior: Callable[..., Any], inputs: int, components: int, size: int, name: str = "pseudo"
) -> Distribution[Exact]:
    """`p(z) = (1/C) sum_c q(z | u_c)`, the best prior for a bound among mixtures of as many posteriors.

    The bound is best under `E_x q(z|x)`, which C inputs `u: [C, inputs]`, all that the block `name` holds,
    stand in for. `posterior(params, u, cond)` is q's `(mean, log_scale)`, `f32[size]` each, from all blocks:
    it reads the encoder's out of another step's.

    Example: `posterior_mixture(posterior, 64, 100, 16)` samples `f32[16]`.
    Tomczak & Welling (2017), arXiv:1705.07120. Raises ValueError for a number below one, and for a z of
    another shape or of integers.
    """
    positive("posterior_mixture", inputs=inputs, components=components, size=size)

    def init(key):
        return {name: jax.random.normal(key, (components, inputs))}

    def sample(params, key, cond=None):
        which, noise = jax.random.split(key)
        c = jax.random.randint(which, (), 0, components)
        mean, log_scale = posterior(params, params[name][c], cond)
        return mean + jnp.exp(log_scale) * jax.random.normal(noise, (size,))

    def log_density(params, key, z, cond=None):
        example("posterior_mixture", z, (size,))
        mean, log_scale = jax.vmap(lambda u: posterior(params, u, cond))(params[name])
        each = norm.logpdf(z, mean, jnp.exp(log_scale)).sum(-1)
        return jax.nn.logsumexp(each) - math.log(components)

    return Distribution(init, sample, Exact(log_density))
