"""Annealed importance sampling against normalising constants in closed form."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm
from scipy.stats import kstest, multivariate_normal

from probtransform.evaluation.annealed import annealed, log_mean_exp, sandwich
from probtransform.integrate.hmc import hmc

KEY = jax.random.key(0)
MEAN, SCALE, LOG_Z = jnp.array([1.0, -2.0]), jnp.array([0.5, 2.0]), 3.0
BETAS = jnp.linspace(0, 1, 60)


def tempered(beta, x):
    """From N(0, I) to exp(LOG_Z) N(MEAN, SCALE^2), geometrically."""
    start = norm.logpdf(x).sum()
    return start + beta * (norm.logpdf(x, MEAN, SCALE).sum() + LOG_Z - start)


def ends(n):
    z = jax.random.normal(jax.random.key(1), (2, n, 2))
    return z[0], MEAN + SCALE * z[1]


def test_hmc_leaves_its_density_invariant():
    x = ends(2000)[1]
    kernel, keys = hmc(0.4, 5), jax.random.split(KEY, 2000)
    moved, acceptance = jax.vmap(lambda k, x: kernel(k, x, lambda x: tempered(1.0, x)))(keys, x)
    assert 0.5 < acceptance.mean() < 1 and abs(moved - x).mean() > 0.3
    for i in range(2):
        assert kstest(moved[:, i], "norm", (MEAN[i], SCALE[i])).pvalue > 1e-3


def test_hmc_finds_its_density_from_afar_only_with_rejections():
    """A step this coarse is biased unless the ends are rejected with the right probability."""
    kernel = hmc(0.9, 3)

    def run(key):
        def step(x, k):
            return kernel(k, x, lambda x: norm.logpdf(x, 0, 0.5).sum())[0], None

        return jax.lax.scan(step, 2 * jnp.ones(1), jax.random.split(key, 60))[0]

    x = jax.vmap(run)(jax.random.split(KEY, 3000))
    assert kstest(x[:, 0], "norm", (0, 0.5)).pvalue > 1e-3


def test_weights_are_unbiased_for_the_ratio_of_constants():
    chain = annealed(tempered, jnp.linspace(0, 1, 12), lambda beta: hmc(0.4, 3))
    log_w, _ = jax.vmap(chain)(jax.random.split(KEY, 4000), ends(4000)[0])
    mean, error = log_mean_exp(log_w)
    assert abs(mean - LOG_Z) < 4 * error < 0.2
    assert log_w.mean() < LOG_Z - 0.05  # not by weights that are all alike


def test_errors_are_those_of_the_mean_weight():
    """Log-normal weights: `Var w / (E w)^2 = exp(s^2) - 1`, a fifth more in the root than that of log w."""
    s, n = 0.8, 200_000
    _, error = log_mean_exp(s * jax.random.normal(KEY, (n,)))
    np.testing.assert_allclose(error, np.sqrt(np.expm1(s**2) / n), rtol=0.03)


@pytest.mark.parametrize("chains", [4, 500])
def test_the_sandwich_holds_the_truth(chains):
    starts, finals = ends(chains)
    found = sandwich(tempered, KEY, starts, finals, BETAS, lambda beta: hmc(0.4, 5))
    assert found.lower - 4 * found.lower_se < LOG_Z < found.upper + 4 * found.upper_se
    assert abs(found.upper - found.lower) < (0.1 if chains > 100 else 1.5)


def test_each_end_errs_on_its_own_side():
    """Few temperatures far apart: one chain's log-weight is far too low, from either end."""
    betas = jnp.linspace(0, 1, 4)
    for xs, way, truth in zip(ends(4000), (betas, betas[::-1]), (LOG_Z, -LOG_Z), strict=True):
        chains = jax.vmap(annealed(tempered, way, lambda beta: hmc(0.3, 2)))
        log_w, _ = chains(jax.random.split(KEY, 4000), xs)
        assert log_w.mean() < truth - 0.1 - 4 * log_w.std() / math.sqrt(4000)


def test_the_likelihood_of_a_latent_model():
    """`x = W z + noise`: p(x) is normal, and z that made x is a draw of the posterior."""
    w = jnp.array([[1.0, 0.5], [-0.7, 1.2], [0.3, 0.3]])
    first, second = jax.random.split(KEY)
    z = jax.random.normal(first, (2,))
    x = w @ z + 0.4 * jax.random.normal(second, (3,))
    truth = multivariate_normal.logpdf(x, np.zeros(3), w @ w.T + 0.16 * np.eye(3))

    def joint(beta, z):
        return norm.logpdf(z).sum() + beta * norm.logpdf(x, w @ z, 0.4).sum()

    starts = jax.random.normal(jax.random.key(5), (300, 2))
    posterior_covariance = np.linalg.inv(np.eye(2) + w.T @ w / 0.16)
    posterior_mean = posterior_covariance @ (w.T @ x) / 0.16
    finals = np.random.default_rng(0).multivariate_normal(posterior_mean, posterior_covariance, 300)
    found = sandwich(
        joint, KEY, starts, jnp.asarray(finals, jnp.float32), BETAS, lambda beta: hmc(0.2, 5)
    )
    assert found.lower - 4 * found.lower_se < truth < found.upper + 4 * found.upper_se
    assert abs(found.upper - found.lower) < 0.1
    alone = sandwich(joint, KEY, starts, None, BETAS, lambda beta: hmc(0.2, 5))
    assert alone.upper == jnp.inf and abs(alone.lower - found.lower) < 0.05


def test_too_few_chains_are_refused():
    with pytest.raises(ValueError, match="got 1 starts"):
        sandwich(tempered, KEY, jnp.zeros((1, 2)), None, BETAS, lambda beta: hmc(0.1))
