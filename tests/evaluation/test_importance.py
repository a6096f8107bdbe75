"""The importance-weighted bound on a linear-Gaussian autoencoder, whose marginal is known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from probtransform.core import Bound, Exact, Network, Unnormalized, log_density_many, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.evaluation import importance
from probtransform.transforms import decoder

KEY = jax.random.key(0)
W, MU, NOISE = np.array([1.5, -0.7, 0.4]), np.array([0.3, 0.0, -1.0]), 0.5
PRECISION = 1 + W @ W / NOISE**2  # of the posterior of the one latent
COVARIANCE = np.outer(W, W) + NOISE**2 * np.eye(3)


def autoencoder(widen: float):
    """`z ~ N(0, 1)`, `x ~ N(W z + MU, NOISE^2)`; q is the posterior, its deviation times `widen`."""

    def decode(params, z, cond):
        return jnp.concatenate([W * z[0] + MU, jnp.full(3, math.log(NOISE))])

    def encode(params, x, cond):
        mean = (x - MU) @ W / NOISE**2 / PRECISION
        return jnp.stack([mean, math.log(widen) - 0.5 * jnp.log(PRECISION)])

    def fixed(apply):
        return Network(lambda key: {}, apply)

    return pushforward(normal((1,)), decoder=decoder(fixed(decode), fixed(encode), gaussian((3,))))


X = jnp.asarray(np.random.default_rng(0).multivariate_normal(MU, COVARIANCE, 400), jnp.float32)
TRUTH = multivariate_normal(MU, COVARIANCE).logpdf(X)
PARAMS = {"decoder": {"decoder": {}, "encoder": {}}}


def bound(widen, samples):
    model = autoencoder(widen)
    model = model._replace(density=importance(model.density, samples))
    return np.asarray(log_density_many(model, PARAMS, KEY, X))


@pytest.mark.parametrize("samples", [1, 8])
def test_with_the_true_posterior_every_sample_is_exact(samples):
    np.testing.assert_allclose(bound(1.0, samples), TRUTH, atol=2e-4)


def test_more_samples_close_the_gap_from_below():
    gaps = [np.mean(TRUTH - bound(2.0, k)) for k in (1, 8, 64)]
    # KL(q | posterior) for a deviation of 2 is (4 - 1)/2 - log 2
    assert gaps[0] == pytest.approx(1.5 - math.log(2), abs=0.2)
    assert gaps[0] > 4 * gaps[1] > 16 * gaps[2] > 0


def test_the_bound_tends_to_the_exact_density():
    np.testing.assert_allclose(bound(2.0, 5000), TRUTH, atol=0.15)
    assert abs(np.mean(bound(2.0, 5000) - TRUTH)) < 5e-3


def test_it_is_the_mean_of_weights_in_logarithms():
    model = autoencoder(2.0)
    fn = importance(model.density, 5).fn
    keys = [jax.random.fold_in(KEY, k) for k in range(5)]
    weights = [model.density.fn(PARAMS, k, X[0], None) for k in keys]
    expected = np.log(np.mean(np.exp(np.float64(weights))))
    assert np.std(weights) > 0.05
    assert fn(PARAMS, KEY, X[0], None) == pytest.approx(expected, rel=1e-5)


def test_impossible_examples_stay_impossible():
    never = Bound(lambda params, key, x, cond=None: -jnp.inf)
    assert importance(never, 4).fn({}, KEY, X[0]) == -jnp.inf


def test_one_sample_and_exact_claims_come_back_as_they_are():
    bound, exact = Bound(len), Exact(len)
    assert importance(bound, 1) is bound
    assert importance(exact, 100) is exact
    assert type(importance(bound, 2)) is Bound


def test_errors():
    with pytest.raises(ValueError, match="Unnormalized, wanted Bound or Exact"):
        importance(Unnormalized(len), 8)
    with pytest.raises(ValueError, match="samples=0, wanted at least 1"):
        importance(Bound(len), 0)
