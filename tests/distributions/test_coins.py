"""Bits drawn from hashes of a key: as often as asked, independent, whatever the key is of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.distributions.layer import coins
from probtransform.distributions.softplus import softplus

KEYS = 4000
ETA = jnp.linspace(-4.0, 4.0, 7)  # an odd number: the last hash is half used


@pytest.fixture(scope="module")
def drawn():
    keys = jax.random.split(jax.random.key(3), KEYS)
    return np.asarray(jax.jit(jax.vmap(lambda key: coins(key, ETA)))(keys), np.float64)


def test_each_is_one_as_often_as_it_should(drawn):
    """Within four and a half standard errors."""
    p = 1 / (1 + np.exp(-np.asarray(ETA, np.float64)))
    assert (np.abs(drawn.mean(0) - p) < 4.5 * np.sqrt(p * (1 - p) / KEYS)).all()


def test_they_are_independent(drawn):
    """Of all pairs, those of one hash too, the correlation is that of chance."""
    correlation = np.corrcoef(drawn.T) - np.eye(len(ETA))
    assert np.abs(correlation).max() < 4.5 / np.sqrt(KEYS)


def test_sure_bits_are_sure():
    sure = jnp.concatenate([jnp.full(5000, 200.0), jnp.full(5000, -200.0)])
    found = np.asarray(coins(jax.random.key(0), sure))
    assert found[:5000].all() and not found[5000:].any()


def test_shape_and_batches():
    """As eta is; a batch of keys draws what each key draws."""
    keys, eta = jax.random.split(jax.random.key(1), 3), jnp.zeros((4, 5))
    many = jax.vmap(lambda key: coins(key, eta))(keys)
    assert many.shape == (3, 4, 5) and many.dtype == bool
    for key, one in zip(keys, many, strict=True):
        np.testing.assert_array_equal(coins(key, eta), one)


@pytest.mark.parametrize("kind", ["rbg", "old"])
def test_other_keys(kind):
    """Generators that are not Threefry draw by their own means; a key of two bare numbers is one of it."""
    key = jax.random.PRNGKey(0) if kind == "old" else jax.random.key(0, impl="rbg")
    found = np.asarray(coins(key, jnp.full(10_000, 1.0)), np.float64)
    assert abs(found.mean() - 1 / (1 + np.exp(-1))) < 4.5 * np.sqrt(0.25 / 10_000)


def test_softplus_and_its_slopes():
    """`log(1 + exp x)`, its slope and the slope of that, against float64."""
    x = np.linspace(-30, 30, 241)
    p = 1 / (1 + np.exp(-x))
    for f, wanted in (
        (softplus, np.logaddexp(x, 0)),
        (jax.grad(softplus), p),
        (jax.grad(jax.grad(softplus)), p * (1 - p)),
    ):
        np.testing.assert_allclose(jax.vmap(f)(x.astype(np.float32)), wanted, rtol=2e-6, atol=1e-7)
