"""A dequantised flow against the mass that its law really puts on each cell."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm

from probtransform.core import log_density, pushforward
from probtransform.distributions import normal
from probtransform.transforms import affine, affine_of, quantise

KEY = jax.random.key(0)
LEVELS, MEAN, SCALE = 6, 0.1, 0.35


def rounded():
    distribution = pushforward(normal((1,)), affine=affine(1), data=quantise((1,), LEVELS))
    params = {"affine": affine_of(jnp.array([MEAN]), jnp.array([[SCALE**2]])), "data": {}}
    return distribution, params


def cells():
    """Mass of each cell, and `E log p` over it: what a uniform dequantisation can reach."""
    edges = np.linspace(-1, 1, LEVELS + 1)
    mass = np.diff(norm(MEAN, SCALE).cdf(edges))
    fine = edges[:-1, None] + (np.arange(2000) + 0.5) / 2000 * (2 / LEVELS)
    return mass, norm(MEAN, SCALE).logpdf(fine).mean(1) + np.log(2 / LEVELS)


def test_the_bound_is_the_mean_log_density_of_the_cell_and_below_its_mass():
    distribution, params = rounded()
    mass, bound = cells()
    keys = jax.random.split(KEY, 4000)
    for symbol in range(LEVELS):
        x = jnp.array([symbol])
        nats = jax.jit(jax.vmap(lambda k: log_density(distribution, params, k, x)))(keys)
        error = float(nats.std()) / np.sqrt(len(keys))
        assert abs(float(nats.mean()) - bound[symbol]) < 5 * error + 1e-4
        assert float(nats.mean()) < np.log(mass[symbol])
        weights = np.exp(np.asarray(nats, np.float64))
        assert abs(weights.mean() - mass[symbol]) < 5 * weights.std() / np.sqrt(len(keys)) + 1e-5
