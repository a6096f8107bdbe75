"""The likelihood of a linear-Gaussian autoencoder between its two bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import MEAN, NOISE, C, W, marginal

from probtransform.core import Network, pushforward, sample_stages
from probtransform.distributions import gaussian, normal
from probtransform.evaluation import latent_importance, latent_sandwich
from probtransform.integrate.hmc import hmc
from probtransform.transforms import decoder, implicit

KEY = jax.random.key(0)
PRECISION = np.diag(
    np.eye(C) + W.T @ W / NOISE**2
)  # of the posterior, whose entries are independent
D = len(MEAN)


def factor_analysis(spread, shift=0.0):
    """The decoder, with the posterior for encoder, moved by `shift` and `spread` times as wide."""

    def decode(params, z, cond):
        return jnp.concatenate([MEAN + W @ z, jnp.full(D, np.log(NOISE))])

    def encode(params, x, cond):
        mean = (x - MEAN) @ W / NOISE**2 / PRECISION + shift
        return jnp.concatenate([mean, jnp.log(spread / jnp.sqrt(PRECISION))])

    nets = (Network(lambda key: {}, apply) for apply in (decode, encode))
    return decoder(*nets, gaussian((D,)))


PARAMS = {"decoder": {"decoder": {}, "encoder": {}}}


def simulated(count):
    """Examples that the model made, and the codes it made them from."""
    distribution = pushforward(normal((C,)), decoder=factor_analysis(1.0))
    keys = jax.random.split(jax.random.key(1), count)
    return jax.vmap(lambda k: sample_stages(distribution, PARAMS, k))(keys)


def sides(z, x, temperatures, **encoder):
    betas = jnp.linspace(0, 1, temperatures)
    step = factor_analysis(**encoder)
    one = latent_sandwich(normal((C,)), step, betas, hmc(0.3, 5), chains=16)
    keys = jax.random.split(KEY, len(x))
    return jax.jit(jax.vmap(lambda key, x, z: one(PARAMS, key, x, None, z)))(keys, x, z)


def test_from_the_exact_posterior_both_sides_are_the_marginal():
    z, x = simulated(6)
    found = sides(z, x, 3, spread=1.0)
    truth = marginal().logpdf(np.float64(x))
    np.testing.assert_allclose(found.lower, truth, atol=1e-4)
    np.testing.assert_allclose(found.upper, truth, atol=1e-4)


def test_from_a_poor_encoder_the_sides_hold_the_truth_and_close():
    z, x = simulated(200)
    truth = marginal().logpdf(np.float64(x))
    gaps, errors = [], []
    for temperatures in (4, 60):
        found = sides(z, x, temperatures, spread=2.0, shift=0.7)
        ways = np.stack([truth - found.lower, found.upper - truth])
        gaps.append(ways.mean(1))
        errors.append(ways.std(1) / np.sqrt(len(x)))
        assert (gaps[-1] > -3 * errors[-1]).all()
    assert (gaps[0] > 3 * errors[0]).all()  # few temperatures: each errs on its own side
    assert (gaps[1] < gaps[0] / 2).all() and gaps[1].sum() < 0.05


def test_of_data_only_the_lower_side_is_known():
    _, x = simulated(1)
    betas = jnp.linspace(0, 1, 60)
    one = latent_sandwich(normal((C,)), factor_analysis(1.5), betas, hmc(0.3, 5), 500)
    found = one(PARAMS, KEY, x[0])
    assert found.upper == jnp.inf
    assert abs(found.lower - marginal().logpdf(x[0])) < 4 * found.lower_se + 1e-3 < 0.1


def test_without_an_encoder_there_is_nothing_to_begin_from():
    step = implicit(Network(lambda key: {}, lambda params, z, cond: z))
    with pytest.raises(ValueError, match="NoneType, wanted Encoded"):
        latent_sandwich(normal((C,)), step, jnp.linspace(0, 1, 5), hmc(0.1))


@pytest.mark.parametrize("samples, at_once", [(1, 50), (60, 50), (300, 7)])
def test_importance_sampling_from_the_encoder_tends_to_the_marginal(samples, at_once):
    """Exact with the posterior itself; from a wider one unbiased, with the variance of a mean of weights."""
    _, x = simulated(8)
    truth = marginal().logpdf(np.float64(x))

    def found(spread):
        bound = latent_importance(normal((C,)), factor_analysis(spread), samples, at_once)
        keys = jax.random.split(KEY, 500)
        one = jax.vmap(jax.vmap(bound.fn, (None, None, 0)), (None, 0, None))
        return np.asarray(jax.jit(one)(PARAMS, keys, x))

    np.testing.assert_allclose(found(1.0), np.tile(truth, (500, 1)), atol=1e-4)
    weights = np.exp(found(1.5) - truth)
    error = weights.std() / np.sqrt(weights.size)
    assert abs(weights.mean() - 1) < 4 * error
    # each entry of one weight has variance s^2 / sqrt(2 s^2 - 1) - 1 under q
    alone = (1.5**2 / np.sqrt(2 * 1.5**2 - 1)) ** C - 1
    np.testing.assert_allclose(weights.var() * samples, alone, rtol=0.25)
