"""Classic mistakes of energies and their chains, each made on purpose: the test that watches for it fails."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_pitfalls import red, suite

from probtransform.core import Batch, Distribution, Unnormalized
from probtransform.integrate import langevin
from probtransform.objectives import contrastive_divergence

# modules whose names are also those of their functions
walk, contrast = (
    importlib.import_module(f"probtransform.{name}")
    for name in ("integrate.langevin", "objectives.contrastive_divergence")
)
KEY = jax.random.key(0)


def wells():
    """The energy `a x^2 / 2`, and a walk that moves by its slope."""

    def log_density(params, key, x, cond=None):
        return -params["a"] * jnp.sum(x**2) / 2

    def move(params, key, x, cond):
        return langevin(0.1)(key, x, lambda x: log_density(params, key, x))[0]

    law = Distribution(lambda key: {"a": jnp.ones(())}, lambda *_: 0.0, Unnormalized(log_density))
    return law, move


def test_chains_are_ends_not_paths():
    """`(mean x^2 - mean x'^2) / 2`, whatever a did to x' on the way there."""
    law, move = wells()
    x = Batch(2.0 + jax.random.normal(KEY, (200, 1)))
    loss = contrastive_divergence(law, move, 5)
    slope = jax.grad(lambda a: loss({"a": a}, (), KEY, x)[0])(jnp.asarray(1.5))
    walk, _ = jax.random.split(KEY)
    away = contrast.walked(move, 5, {"a": jnp.asarray(1.5)}, walk, x).x
    np.testing.assert_allclose(slope, (jnp.mean(x.x**2) - jnp.mean(away**2)) / 2, rtol=1e-5)
    assert abs(jnp.mean(away**2) - jnp.mean(x.x**2)) > 1


class Through:
    """`jax`, but nothing is held fixed."""

    def __init__(self):
        self.lax = self

    def __getattr__(self, name):
        if name == "stop_gradient":
            return lambda x: x
        return getattr(jax if hasattr(jax, name) else jax.lax, name)


def test_a_slope_through_the_chain(monkeypatch):
    monkeypatch.setattr(contrast, "jax", Through())
    red(test_chains_are_ends_not_paths)


@pytest.mark.parametrize("drift, noise", [(1.0, 1.0), (0.5, 2.0), (1.0, 2.0**0.5 * 0.01)])
def test_a_walk_of_another_temperature(monkeypatch, drift, noise):
    """`h grad` goes with `sqrt(2 h)`: neither `sqrt(h)`, nor half the drift, nor hardly any noise."""

    def wrong(key, x, slope, size):
        e = jax.random.normal(key, x.shape, x.dtype)
        return x + drift * size * slope + (noise * size) ** 0.5 * e

    monkeypatch.setattr(walk, "proposed", wrong)
    tests = suite("integrate/test_langevin.py")
    red(tests.test_the_stationary_law_is_that_of_the_discretisation, 0.5)


def test_a_correction_that_forgets_the_way_back(monkeypatch):
    """Accepted by the ratio of the densities alone, as if the move were as likely either way."""
    tests = suite("integrate/test_langevin.py")

    def wrong(size):
        def kernel(key, x, log_density):
            move, accept = jax.random.split(key)
            y = walk.proposed(move, x, jax.grad(log_density)(x), size)
            chance = jnp.exp(jnp.minimum(log_density(y) - log_density(x), 0))
            return jnp.where(jax.random.uniform(accept) < chance, y, x), chance

        return kernel

    monkeypatch.setattr(tests, "mala", wrong)
    red(tests.test_the_correction_makes_it_exact)


def test_an_energy_with_the_sign_of_a_density(monkeypatch):
    tests = suite("distributions/test_tilted.py")
    right = tests.tilted

    def wrong(base, energy, *rest):
        return right(base, energy._replace(apply=lambda *at: -energy.apply(*at) / 4), *rest)

    monkeypatch.setattr(tests, "tilted", wrong)
    red(tests.test_a_quadratic_energy_narrows_a_normal)


def of_chains():
    """The tests of chains, and the parameters and data that they are run with."""
    tests = suite("objectives/test_contrastive_divergence.py")
    batch = Batch(jax.random.bernoulli(KEY, 0.5, (16, 8)).astype(jnp.uint8))
    return tests, tests.MACHINE.init(KEY), batch


def test_chains_that_are_not_written_back(monkeypatch):
    tests, params, batch = of_chains()
    right = tests.persistent_contrast

    def wrong(*inputs, **options):
        loss = right(*inputs, **options)

        def forgetful(params, carry, key, batch):
            value, (_, seen) = loss(params, carry, key, batch)
            return value, (carry, seen)

        return forgetful

    monkeypatch.setattr(tests, "persistent_contrast", wrong)
    red(tests.test_chains_go_on_where_they_were, params, batch)


def test_chains_renewed_all_or_none(monkeypatch):
    tests, params, batch = of_chains()
    right = jax.random.uniform

    def wrong(key, shape=(), *rest, **options):
        return jnp.broadcast_to(right(key, (), *rest, **options), shape)

    monkeypatch.setattr(jax.random, "uniform", wrong)
    red(tests.test_each_chain_is_renewed_on_its_own, params, batch)


def test_one_key_for_all_chains(monkeypatch):
    tests, params, _ = of_chains()

    def wrong(fn, params, key, batch):
        return jax.vmap(fn, (None, None, 0, 0))(params, key, batch.x, batch.cond)

    monkeypatch.setattr(contrast, "each", wrong)
    red(tests.test_persistent_chains_forget_their_start, params)
