"""From data to data: any base, by its flow and by its SDEs; and the bridge of normals, learned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_bridge import SCALE, A, B, M, N, schroedinger
from test_contracts import energy_distance

from probtransform.core import Batch, Distribution, sample_many, sample_stages
from probtransform.data.toys import eight_gaussians, gaussian_mixture
from probtransform.families.bridge_matching import fitting
from probtransform.families.flow_matching import velocity_of
from probtransform.families.stochastic_interpolant import field_of, interpolating
from probtransform.integrate import drifting, grids
from probtransform.paths import brownian, drift
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import sampler

BASE = eight_gaussians()
DATA = gaussian_mixture(((1.0, 2.0), (5.0, 2.0), (3.0, 5.0)))
FRESH = sample_many(DATA, {}, jax.random.key(3), 1000)
TRAIN = Batch(sample_many(DATA, {}, jax.random.key(1), 4000))


def base_draws(n):
    return jax.vmap(lambda k: BASE.sample({}, k))(jax.random.split(jax.random.key(7), n))


@pytest.fixture(scope="module")
def learned():
    """A field from eight Gaussians to three beside them, after few steps."""
    field, path = field_of(2, 0, 32, 2, 2), brownian(0.7)
    model = interpolating(BASE, field, path, 8)
    state = fit(model, optimizer(Recipe(700, 128, 1e-2)), TRAIN, steps=700, batch=128).state
    return field, path, model, averaged(state)


def test_a_base_of_data_is_carried_by_the_flow(learned, key):
    *_, model, params = learned
    z, x = sample_stages(model.distribution, params, key)
    assert float(BASE.density.fn({}, key, z, None)) > np.log(1e-6)
    x = sample_many(model.distribution, params, key, 1000)
    assert energy_distance(x, FRESH) < energy_distance(base_draws(1000), FRESH) / 50
    far = model.distribution.density.fn(params, key, jnp.array([3.0, 9.0]), None)
    assert far < model.distribution.density.fn(params, key, jnp.array([1.0, 2.0]), None) - 3


@pytest.mark.parametrize("level", [0.0, 0.245, 1.0])
def test_and_by_an_sde_of_any_diffusion(learned, level):
    field, path, _, params = learned
    walk = sampler(
        drift(field, path, lambda t: level + 0 * t),
        drifting(grids.uniform(100), lambda t: level + 0 * t),
    )
    z, keys = base_draws(1000), jax.random.split(jax.random.key(2), 1000)
    x = jax.jit(jax.vmap(walk.forward, (None, 0, 0)))(params["field"], keys, z)
    assert energy_distance(x, FRESH) < energy_distance(z, FRESH) / 50


def test_two_drifts_carry_a_base_of_data():
    model = fitting(BASE, velocity_of(2, 0, 32, 2, 2), 0.7, updates=200, solver_steps=8)
    state = fit(model, optimizer(Recipe(700, 128, 1e-2)), TRAIN, steps=700, batch=128).state
    x = sample_many(model.distribution, averaged(state), jax.random.key(0), 1000)
    assert energy_distance(x, FRESH) < energy_distance(base_draws(1000), FRESH) / 50
    assert int(state.carry["forward"].count) == 700


@pytest.mark.slow
def test_two_drifts_learn_the_bridge_of_normals():
    """Covariance of the pairs of the forward SDE, against the closed form and that of independent ends."""
    root, wanted = np.linalg.cholesky(A), schroedinger(M, N, A, B, SCALE)
    base = Distribution(
        lambda key: {}, lambda p, key, cond=None: M + root @ jax.random.normal(key, (2,)), None
    )
    model = fitting(base, velocity_of(2, 0, 64, 2, 2), SCALE, updates=1000, solver_steps=40)
    data = Batch(jnp.asarray(wanted.drawn(50_000, 0)[1], jnp.float32))
    state = fit(model, optimizer(Recipe(5000, 256, 3e-3)), data, steps=5000, batch=256).state
    keys = jax.random.split(jax.random.key(0), 20_000)
    draw = jax.jit(jax.vmap(lambda k: sample_stages(model.distribution, averaged(state), k)))
    z, x = (np.asarray(part) for part in draw(keys))
    found = np.cov(np.concatenate([z, x], 1).T)
    np.testing.assert_allclose(x.mean(0), N, atol=0.1)
    np.testing.assert_allclose(found[2:, 2:], B, atol=0.1)
    np.testing.assert_allclose(found[:2, 2:], wanted.c, atol=0.05)
    assert np.abs(wanted.c).max() > 0.4
