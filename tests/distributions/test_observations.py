"""Observation models and mixtures of Gaussians: normalised, those of scipy, and drawn as they claim."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from probtransform.distributions import (
    bernoulli,
    categorical,
    discretized_logistic,
    discretized_logistic_mixture,
    gaussian,
    gaussian_mixture,
    mixture_of,
)

KEY = jax.random.key(0)
ON_LEVELS = {
    "bernoulli": (bernoulli, 2),
    "categorical": (lambda shape: categorical(shape, 3), 3),
    "discretized_logistic": (lambda shape: discretized_logistic(shape, 3), 3),
    "mixture": (lambda shape: discretized_logistic_mixture(shape, 3, 2), 3),
}


def numbers_of(observation, seed=1):
    return jax.random.normal(jax.random.key(seed), (observation.size,))


@pytest.mark.parametrize("name", ON_LEVELS)
def test_masses_of_all_examples_sum_to_one_and_are_those_of_samples(name):
    build, levels = ON_LEVELS[name]
    observation = build((3,))
    numbers = numbers_of(observation)
    every = jnp.asarray(list(itertools.product(range(levels), repeat=3)), jnp.uint8)
    mass = np.exp(np.asarray(jax.vmap(observation.log_prob, (None, 0))(numbers, every), float))
    assert mass.sum() == pytest.approx(1, abs=1e-5)
    drawn = jax.vmap(observation.sample, (None, 0))(numbers, jax.random.split(KEY, 8000))
    assert drawn.dtype == jnp.uint8
    share = (
        np.bincount(np.asarray(drawn) @ levels ** np.arange(3)[::-1], minlength=len(mass)) / 8000
    )
    assert (abs(share - mass) < 5 * np.sqrt(mass * (1 - mass) / 8000) + 1e-3).all()
    for outside in (levels, -1):  # no mass, and no slope that is not a number
        nats, slope = jax.value_and_grad(observation.log_prob)(numbers, jnp.array([0, outside, 1]))
        assert nats == -jnp.inf and jnp.isfinite(slope).all()
    with pytest.raises(ValueError, match="observation: got an example of shape"):
        observation.log_prob(numbers, every)
    with pytest.raises(ValueError, match="observation: got an example of dtype"):
        observation.log_prob(numbers, jnp.zeros(3))


def test_a_gaussian_with_a_learned_scale_integrates_to_one():
    for log_scale in (-2.0, 0.0, 1.5):
        x = jnp.linspace(-40, 40, 40_001)[:, None]
        nats = jax.vmap(gaussian((1,)).log_prob, (None, 0))(jnp.array([0.3, log_scale]), x)
        assert np.trapezoid(np.exp(nats), x[:, 0]) == pytest.approx(1, abs=1e-4)


def test_bernoulli_is_scipys():
    logits = jnp.array([0.3, -1.2, 2.5, 0.0])
    x = jnp.array([1, 1, 0, 1])
    wanted = stats.bernoulli(1 / (1 + np.exp(-np.float64(logits)))).logpmf(x).sum()
    np.testing.assert_allclose(bernoulli((4,)).log_prob(logits, x), wanted, rtol=1e-5)


def test_bernoulli_is_finite_with_its_gradient_at_extremes():
    logits = jnp.array([80.0, -80.0, 80.0, -80.0, 3e4, 0.5])
    x = jnp.array([0, 0, 1, 1, 0, 1])
    value, slope = jax.value_and_grad(bernoulli((6,)).log_prob)(logits, x)
    np.testing.assert_allclose(value, -80 - 80 - 3e4 - np.log1p(np.exp(-0.5)), rtol=1e-6)
    wanted = x - 1 / (1 + np.exp(-np.clip(np.float64(logits), -90, 90)))
    np.testing.assert_allclose(slope, wanted, rtol=1e-5, atol=1e-30)


def test_a_mixture_of_logistics_is_scipys_mass_of_each_cell():
    levels, components = 6, 2
    numbers = np.array([0.4, -0.3, 0.1, -0.2, -0.5, 0.3])  # weights, means, log-scales
    weight = np.exp(numbers[:2]) / np.exp(numbers[:2]).sum()
    spread = np.array([-0.5, 0.5])
    middle = (numbers[2:4] + spread + 1) * levels / 2 - 0.5
    edges = np.concatenate([[-np.inf], np.arange(levels - 1) + 0.5, [np.inf]])
    law = stats.logistic(middle[:, None], np.exp(numbers[4:])[:, None] * levels / 8)
    wanted = weight @ np.diff(law.cdf(edges), axis=1)
    observation = discretized_logistic_mixture((1,), levels, components)
    got = [float(observation.log_prob(jnp.asarray(numbers), jnp.array([i]))) for i in range(levels)]
    np.testing.assert_allclose(np.exp(got), wanted, rtol=1e-4)
    with pytest.raises(ValueError, match="components=0, wanted at least 1"):
        discretized_logistic_mixture((1,), levels, 0)


@pytest.mark.parametrize("name", [*ON_LEVELS, "gaussian"])
def test_an_image_beside_its_copy_has_twice_the_nats(name):
    """Sums over entries, not means: otherwise both would weigh the same."""
    build, levels = ON_LEVELS.get(name, (gaussian, None))
    once, twice = build((2, 2)), build((4, 2))
    by_entry = {"gaussian": (2, -1), "discretized_logistic": (2, -1)}.get(name, (4, -1))
    numbers = numbers_of(once).reshape(by_entry)
    both = jnp.concatenate([numbers, numbers], 1 if by_entry[0] == 2 else 0)
    x = jax.random.uniform(KEY, (2, 2)) * (levels or 1)
    x = jnp.floor(x).astype(jnp.uint8) if levels else x
    nats = once.log_prob(numbers.reshape(-1), x)
    assert abs(nats) > 1
    doubled = twice.log_prob(both.reshape(-1), jnp.concatenate([x, x]))
    np.testing.assert_allclose(doubled, 2 * nats, rtol=1e-5)


# --- mixtures of Gaussians ------------------------------------------------------------------------

ROOT = np.array([[[2.0, 0.0], [0.7, 0.5]], [[1.0, 0.0], [-1.5, 3.0]], [[0.8, 0.0], [0.0, 0.9]]])
MEAN = np.array([[0.5, -1.0], [-2.0, 1.0], [2.0, 2.0]])
TABLE = np.array([[0.0, 3.0, 0.0], [2.0, 0.0, 0.0]])


def three(classes=0):
    law = gaussian_mixture(2, 3, classes)
    root = np.tril(ROOT, -1) + np.stack([np.diag(np.log(np.diag(r))) for r in ROOT])
    params = {
        "mean": MEAN,
        "root": root,
        "weight": np.log([0.5, 0.2, 0.3]),
        "table": TABLE[:classes],
    }
    return law, {"mixture": jax.tree.map(jnp.float32, params)}


def by_scipy(weight, x):
    laws = [
        stats.multivariate_normal(m, np.linalg.inv(r.T @ r))
        for m, r in zip(MEAN, ROOT, strict=True)
    ]
    return np.log(sum(w * law.pdf(x) for w, law in zip(weight, laws, strict=True)))


@pytest.mark.parametrize("label", [None, 0, 1])
def test_a_learned_mixture_is_scipys_and_a_label_moves_its_weights(label):
    law, params = three(0 if label is None else 2)
    weight = np.array([0.5, 0.2, 0.3]) * (1 if label is None else np.exp(TABLE[label]))
    weight /= weight.sum()
    x = np.random.default_rng(0).normal(size=(50, 2)) * 2
    got = jax.vmap(lambda x: law.density.fn(params, KEY, x, label))(jnp.float32(x))
    np.testing.assert_allclose(got, by_scipy(weight, x), rtol=1e-4, atol=1e-4)
    drawn = jax.vmap(lambda k: law.sample(params, k, label))(jax.random.split(KEY, 20_000))
    np.testing.assert_allclose(drawn.mean(0), weight @ MEAN, atol=0.06)
    covariances = np.stack([np.linalg.inv(r.T @ r) for r in ROOT])
    second = np.einsum("c,cij->ij", weight, covariances + MEAN[:, :, None] * MEAN[:, None])
    np.testing.assert_allclose(drawn.T @ drawn / 20_000, second, atol=0.15)


def test_a_mixture_begins_where_the_data_are():
    x = jnp.array([[1.0, 10.0], [3.0, -10.0], [2.0, 0.0]])
    params = mixture_of(x, 2)
    np.testing.assert_array_equal(params["mean"], x[:2])
    wide = np.exp(np.diagonal(params["root"], axis1=1, axis2=2))
    np.testing.assert_allclose(1 / wide[0], np.std(x, 0) + 1e-3, rtol=1e-5)
    with pytest.raises(ValueError, match="components=0"):
        gaussian_mixture(2, 0)
