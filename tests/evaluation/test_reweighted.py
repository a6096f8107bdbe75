"""Fitting a density known up to a constant: the constant, the moments and the fit itself in closed form."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Bound, Event, Model, Player, pushforward
from probtransform.distributions import normal
from probtransform.evaluation import reweighted
from probtransform.families import registry
from probtransform.objectives import reverse_kl
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import affine, affine_of

KEY = jax.random.key(0)
MEAN, COVARIANCE = jnp.array([1.0, -2.0]), jnp.array([[2.0, 0.8], [0.8, 1.0]])
LOG_Z = 3.25


def gaussian(x, cond=None):
    """`exp(LOG_Z) N(x; MEAN, COVARIANCE)`."""
    away = x - MEAN
    square = away @ jnp.linalg.solve(COVARIANCE, away)
    return LOG_Z - square / 2 - jnp.linalg.slogdet(2 * math.pi * COVARIANCE)[1] / 2


def banana(x, cond=None):
    """`u ~ N(0, 1), v - u^2 / 2 ~ N(0, 1/4)` without its constant, `Z = pi`."""
    return -(x[0] ** 2) / 2 - 2 * (x[1] - x[0] ** 2 / 2) ** 2


def fitted(distribution, owns, target, steps, batch=256):
    model = Model(distribution, {"flow": Player(owns, reverse_kl(distribution, target))})
    recipe = Recipe(steps=steps, batch=batch, rate=1e-2, average=0.9)
    draws = Batch(np.zeros((batch, 0), np.float32))
    done = fit(model, optimizer(recipe), draws, steps=steps, batch=batch)
    return averaged(done.state), done.history


def test_an_affine_map_finds_a_gaussian_and_its_constant():
    flow = pushforward(normal((2,)), place=affine(2))
    params, history = fitted(flow, ("place",), gaussian, 1500)
    assert history[-1]["reverse_kl"] == pytest.approx(-LOG_Z, abs=0.01)
    found = reweighted(flow, params, KEY, gaussian, 4000)
    assert found.ess > 0.98 and found.log_z == pytest.approx(LOG_Z, abs=4 * found.log_z_se + 1e-4)
    weights = np.exp(found.log_weights)
    mean = weights @ np.asarray(found.x)
    np.testing.assert_allclose(mean, MEAN, atol=0.1)
    away = np.asarray(found.x) - mean
    np.testing.assert_allclose((weights[:, None] * away).T @ away, COVARIANCE, atol=0.15)


def test_weights_of_the_wrong_distribution_are_right_on_average():
    """With q = N(0, I) and f = N(0, s^2 I), `E w^2` is an integral of Gaussians, for s^2 < 2."""
    s2 = 0.5

    def narrow(x, cond=None):
        return -(x @ x) / (2 * s2) - jnp.log(2 * math.pi * s2)

    found = reweighted(normal((2,)), {}, KEY, narrow, 200_000, chunk=20_000)
    expected = s2**2 * (2 / s2 - 1)  # over E w^2 = s^-4 / (2/s^2 - 1) in the plane
    assert found.ess == pytest.approx(expected, rel=0.02)
    assert abs(found.log_z) < 4 * found.log_z_se < 0.02
    assert np.exp(found.log_weights).sum() == pytest.approx(1)
    assert found.log_z_se == pytest.approx(math.sqrt((1 / expected - 1) / 200_000), rel=0.05)


@pytest.mark.slow
def test_a_flow_bends_to_a_banana():
    model = registry["realnvp"].build(Event((2,)), layers=6, width=32)
    params, _ = fitted(model.distribution, model.players["flow"].owns, banana, 1500)
    found = reweighted(model.distribution, params, KEY, banana, 10_000)
    assert found.ess > 0.9 and found.log_z == pytest.approx(math.log(math.pi), abs=0.02)


def test_conditions_reach_the_target():
    def placed(x, cond):
        return -((x - cond) ** 2).sum() / 2 - math.log(2 * math.pi)

    flow = pushforward(normal((2,)), place=affine(2))
    params = {"place": affine_of(jnp.zeros(2), jnp.eye(2))}
    loss = reverse_kl(flow, placed)
    cond = jnp.array([0.0, 3.0] * 500)
    nats, _ = loss(params, (), KEY, Batch(jnp.zeros((1000, 0)), cond))
    # KL of unit Gaussians |shift| = 3 sqrt(2) apart is 9, and zero for the other half
    assert nats == pytest.approx(4.5, abs=0.3)


def test_errors():
    flow = pushforward(normal((2,)), place=affine(2))
    bounded = flow._replace(density=Bound(flow.density.fn))
    with pytest.raises(ValueError, match="reverse_kl: got a claim of Bound, wanted Exact"):
        reverse_kl(bounded, gaussian)
    with pytest.raises(ValueError, match="reweighted: got a claim of Bound"):
        reweighted(bounded, flow.init(KEY), KEY, gaussian, 10)
    with pytest.raises(ValueError, match="10 of 10 weights that are not numbers"):
        reweighted(flow, flow.init(KEY), KEY, lambda x, cond: jnp.nan, 10)
