"""The variational bound of a chain against what is known of chains of normals, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import Normals
from scipy.special import logsumexp
from scipy.stats import norm

from probtransform import paths
from probtransform.core import Network, pushforward
from probtransform.distributions import normal
from probtransform.integrate import ancestral, grids
from probtransform.transforms import denoising_chain

ONE = Normals(np.array([0.7]), np.array([0.4]))
PATHS = {"vp": paths.vp(), "linear": paths.linear(), "ve": paths.ve(0.1, 20.0)}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def network(path, predicts):
    field = ONE.field(path, predicts)
    return Network(lambda key: (), lambda params, x, t, cond: field(x, t))


def made(path, times, predicts="v"):
    step = denoising_chain(network(path, predicts), path, times, predicts)
    return pushforward(normal((1,)), chain=step)


def chain(path, times):
    """Mean and covariance of `(x_0, ..., x_N, x)` of the model, then of data noised step by step.

    By the definitions: each step draws `x_i+1 ~ q(x_i+1 | x_i, D(x_i))`, Bayes' rule for three normals.
    """
    rates = paths.at(path, times)
    a, s = rates.alpha, rates.sigma
    n = len(times) + 1
    mean, cov = np.zeros(n), np.zeros((n, n))
    cov[0, 0] = s[0] ** 2

    def step(i, slope, offset, variance):
        cov[i] = slope * cov[i - 1]
        cov[:, i] = cov[i]
        mean[i] = slope * mean[i - 1] + offset
        cov[i, i] = slope**2 * cov[i - 1, i - 1] + variance

    def data_prediction(i):
        """`E[x | x_i] = slope x_i + offset`."""
        slope = a[i] * ONE.scale[0] ** 2 / (a[i] ** 2 * ONE.scale[0] ** 2 + s[i] ** 2)
        return slope, ONE.mean[0] * (1 - slope * a[i])

    for i in range(len(times) - 1):
        ratio = a[i] / a[i + 1]
        added = s[i] ** 2 - ratio**2 * s[i + 1] ** 2
        variance = 1 / (1 / s[i + 1] ** 2 + ratio**2 / added)
        d, o = data_prediction(i)
        of_data, of_x = variance * a[i + 1] / s[i + 1] ** 2, variance * ratio / added
        step(i + 1, of_x + of_data * d, of_data * o, variance)
    step(n - 1, *data_prediction(len(times) - 1), (s[-1] / a[-1]) ** 2)
    true = np.diag(np.append(s, 0.0) ** 2)
    for i in range(n - 1):  # x_i is x_j, noised further, for every later j
        true[i, i + 1 : -1] = a[i] / a[i + 1 :] * s[i + 1 :] ** 2
    true = np.triu(true) + np.triu(true, 1).T
    true[:-1, :-1] += np.outer(a, a) * ONE.scale[0] ** 2
    true[-1] = true[:, -1] = np.append(a, 1) * ONE.scale[0] ** 2
    return mean, cov, np.append(a, 1) * ONE.mean[0], true


@pytest.mark.parametrize("name", PATHS)
def test_weights_average_to_the_density_of_the_chain(name):
    path = PATHS[name]
    times = 0.9 * grids.uniform(5)
    mean, cov, *_ = chain(path, times)
    model = made(path, times)
    keys = jax.random.split(jax.random.key(0), 20_000)
    for x in (0.2, 0.9, 1.4):
        x_, fn = jnp.array([x]), model.density.fn
        weights = np.asarray(jax.jit(jax.vmap(lambda k, x=x_: fn({"chain": ()}, k, x, None)))(keys))
        ratio = np.exp(weights - norm.logpdf(x, mean[-1], np.sqrt(cov[-1, -1])))
        assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(keys))
        assert ratio.std() / np.sqrt(len(keys)) < 0.02
        assert weights.mean() < logsumexp(weights) - np.log(len(keys))


@pytest.mark.parametrize("name", PATHS)
def test_the_bound_is_the_divergence_of_two_chains(name):
    """`E_x E_key[fn] = E_q[log p(x_0 .. x)] - E_q[log q(x_0 .. x_N | x)]`, all of them normal."""
    path = PATHS[name]
    times = 0.9 * grids.uniform(5)
    mean, cov, centre, true = chain(path, times)
    away = np.linalg.solve(cov, true)
    gap = mean - centre
    n = len(mean)
    divergence = np.trace(away) - n + gap @ np.linalg.solve(cov, gap)
    divergence = (divergence + np.linalg.slogdet(cov)[1] - np.linalg.slogdet(true)[1]) / 2
    wanted = -norm.entropy(ONE.mean[0], ONE.scale[0]) - divergence
    model, n = made(path, times), 100_000
    x = ONE.mean + ONE.scale * np.random.default_rng(0).standard_normal((n, 1))
    keys = jax.random.split(jax.random.key(0), n)
    fn = jax.jit(jax.vmap(lambda k, x: model.density.fn({"chain": ()}, k, x, None)))
    found = np.asarray(fn(keys, jnp.asarray(x)))
    error = found.std() / np.sqrt(n)
    assert abs(found.mean() - wanted) < 4 * error and error < 0.02


def test_samples_have_the_law_of_the_chain():
    path, times = PATHS["vp"], 0.9 * grids.uniform(5)
    mean, cov, *_ = chain(path, times)
    keys = jax.random.split(jax.random.key(0), 50_000)
    x = np.asarray(jax.vmap(lambda k: made(path, times).sample({"chain": ()}, k, None))(keys))
    sd = np.sqrt(cov[-1, -1])
    assert abs(x.mean() - mean[-1]) < 4 * sd / np.sqrt(len(x))
    assert abs(x.var() / sd**2 - 1) < 4 * np.sqrt(2 / len(x))


@pytest.mark.parametrize("predicts", ["data", "score", "velocity"])
def test_what_is_predicted_does_not_change_the_bound(predicts):
    path, times, key = PATHS["vp"], 0.9 * grids.uniform(5), jax.random.key(0)
    first, other = (
        made(path, times, view).density.fn({"chain": ()}, key, jnp.array([0.3]), None)
        for view in ("noise", predicts)
    )
    np.testing.assert_allclose(first, other, rtol=1e-9)


def test_its_steps_are_those_of_the_ancestral_sampler():
    """Without noise, from the same place."""
    from probtransform.transforms.denoising_chain import chained

    path, times = PATHS["vp"], grids.power(6, 2.0)[:-1]
    rows, table = chained(path, times, "data"), ancestral(path, times, "data")
    np.testing.assert_allclose(rows.keep, table.point[:, 0], rtol=1e-11)
    np.testing.assert_allclose(rows.gain, table.point[:, 1], rtol=1e-11)
    np.testing.assert_allclose(rows.spread, table.noise[:, 1], rtol=1e-11)


def test_it_begins_and_ends_with_noise():
    with pytest.raises(ValueError, match="sigma = 0"):
        denoising_chain(network(PATHS["vp"], "v"), PATHS["vp"], grids.uniform(5), "v")
