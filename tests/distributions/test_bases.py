"""Bases and observation models against scipy; what they sample against what they claim."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from probtransform.core import sample_many
from probtransform.distributions import (
    categorical,
    discretized_logistic,
    gaussian,
    normal,
    uniform,
)

KEY = jax.random.key(0)


@pytest.mark.parametrize("base, law", [(normal, stats.norm()), (uniform, stats.uniform(-1, 2))])
def test_bases_sample_and_claim_what_scipy_has(base, law):
    x = np.asarray(sample_many(base((3,)), {}, KEY, 2000)).ravel()
    assert stats.kstest(x, law.cdf).pvalue > 1e-3
    got = jax.vmap(lambda x: base((3,)).density.fn({}, KEY, x))(x.reshape(-1, 3))
    np.testing.assert_allclose(got, law.logpdf(x.reshape(-1, 3)).sum(1), rtol=1e-5, atol=1e-5)


def test_outside_the_cube_there_is_nothing():
    assert uniform((2,)).density.fn({}, KEY, jnp.array([0.0, 1.1])) == -np.inf


@pytest.mark.parametrize("base", [normal, uniform])
@pytest.mark.parametrize("bad", [jnp.zeros((4, 3)), jnp.zeros(2), jnp.zeros(3, jnp.uint8)])
def test_a_wrong_example_is_named(base, bad):
    with pytest.raises(ValueError, match=f"{base.__name__}: got an example of"):
        base((3,)).density.fn({}, KEY, bad)


def test_gaussian_numbers_are_means_and_log_scales_held_in_bounds():
    numbers = jnp.array([0.5, -1.0, 0.0, 0.3, -9.0, 9.0])
    x = jnp.array([0.4, -1.0, 2.0])
    scale = np.exp([0.3, -5.0, 3.0])
    got = gaussian((3,)).log_prob(numbers, x)
    np.testing.assert_allclose(got, stats.norm([0.5, -1, 0], scale).logpdf(x).sum(), rtol=1e-5)
    drawn = jax.vmap(lambda k: gaussian((3,)).sample(numbers, k))(jax.random.split(KEY, 4000))
    np.testing.assert_allclose(drawn.std(0), scale, rtol=0.06)


def masses(observation, numbers, levels):
    return np.exp([float(observation.log_prob(numbers, jnp.array([x]))) for x in range(levels)])


@pytest.mark.parametrize("build", [categorical, discretized_logistic])
def test_what_is_no_level_has_no_mass(build):
    observation = build((2,), 4)
    log_mass = observation.log_prob(jnp.zeros(observation.size), jnp.array([1, 4], jnp.uint8))
    assert not log_mass > -jnp.inf  # minus infinity, or not a number


@pytest.mark.parametrize("levels", [2, 5, 17])
@pytest.mark.parametrize("build", [categorical, discretized_logistic])
def test_masses_of_levels_sum_to_one_and_are_those_of_samples(build, levels):
    observation = build((1,), levels)
    numbers = 0.7 * jax.random.normal(KEY, (observation.size,))
    mass = masses(observation, numbers, levels)
    assert mass.sum() == pytest.approx(1, abs=1e-5)
    drawn = jax.vmap(lambda k: observation.sample(numbers, k))(jax.random.split(KEY, 5000))
    share = np.bincount(np.asarray(drawn).ravel(), minlength=levels) / 5000
    assert (abs(share - mass) < 5 * np.sqrt(mass * (1 - mass) / 5000) + 1e-3).all()


def test_categorical_is_the_softmax():
    numbers = jnp.array([0.1, 2.0, -1.0, 0.0, 0.0, 3.0])
    got = categorical((2,), 3).log_prob(numbers, jnp.array([1, 2]))
    table = special.log_softmax(numbers.reshape(2, 3), 1)
    np.testing.assert_allclose(got, table[0, 1] + table[1, 2], rtol=1e-5)


def test_discretized_logistic_is_scipys_mass_of_each_cell():
    levels, mean, log_scale = 8, 0.25, -0.4
    law = stats.logistic((mean + 1) * levels / 2 - 0.5, np.exp(log_scale) * levels / 8)
    edges = np.concatenate([[-np.inf], np.arange(levels - 1) + 0.5, [np.inf]])
    got = masses(discretized_logistic((1,), levels), jnp.array([mean, log_scale]), levels)
    np.testing.assert_allclose(got, np.diff(law.cdf(edges)), rtol=1e-4)


@pytest.mark.parametrize("mean", [-80.0, 80.0])
@pytest.mark.parametrize("log_scale", [-80.0, 80.0])
def test_discretized_logistic_is_finite_with_its_gradient_at_extremes(mean, log_scale):
    observation = discretized_logistic((1,), 256)
    for x in (0, 7, 255):
        value, slope = jax.value_and_grad(observation.log_prob)(
            jnp.array([mean, log_scale]), jnp.array([x])
        )
        assert np.isfinite(value) and np.isfinite(slope).all()
