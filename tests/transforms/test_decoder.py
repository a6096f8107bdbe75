"""The decoder of a linear Gaussian VAE, whose marginal and posterior are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import MEAN, NOISE, C, D, W, factor_analysis, marginal
from test_contracts import KEY, contract_importance, each

from probtransform.core import Batch, Model, log_density, sample_many
from probtransform.evaluation import importance


def test_with_the_true_posterior_the_bound_is_the_marginal_whatever_the_key():
    distribution, params = factor_analysis(spread=1.0)
    x = np.random.default_rng(0).standard_normal((20, D))
    nats = each(distribution.density.fn, params, KEY, Batch(jnp.asarray(x, jnp.float32)))
    np.testing.assert_allclose(nats, marginal().logpdf(x), rtol=1e-4)


def test_the_gap_of_a_wrong_posterior_is_its_divergence():
    """`log p - E[bound] = KL(q | posterior)`, here between normals whose scales differ by `s`."""
    s = 1.5
    distribution, params = factor_analysis(spread=s)
    x = jnp.asarray([0.3, -0.2, 0.5])
    keys = jax.random.split(KEY, 20_000)
    nats = jax.jit(jax.vmap(lambda k: log_density(distribution, params, k, x)))(keys)
    gap = C * (s**2 / 2 - 0.5 - np.log(s))
    error = float(nats.std()) / np.sqrt(len(keys))
    assert abs(marginal().logpdf(x) - float(nats.mean()) - gap) < 5 * error < gap / 5


def test_samples_have_the_marginal_covariance():
    distribution, params = factor_analysis(spread=1.0)
    x = np.asarray(sample_many(distribution, params, KEY, 20_000, chunk=20_000))
    np.testing.assert_allclose(np.cov(x.T), W @ W.T + NOISE**2 * np.eye(D), atol=0.06)
    np.testing.assert_allclose(x.mean(0), MEAN, atol=0.05)


def test_importance_weights_close_the_gap():
    distribution, params = factor_analysis(spread=1.5)
    x = marginal().rvs(32, random_state=0)
    contract_importance(
        importance,
        Model(distribution, {}),
        params,
        jnp.asarray(x, jnp.float32),
        marginal().logpdf(x),
    )


@pytest.mark.parametrize("bad", [jnp.zeros((1, D)), jnp.zeros(D + 1), jnp.zeros(D, int)])
def test_a_wrong_example_is_named_before_the_encoder_meets_it(bad):
    distribution, params = factor_analysis(spread=1.0)
    with pytest.raises(ValueError, match="gaussian observation: got an example of"):
        log_density(distribution, params, KEY, bad)
