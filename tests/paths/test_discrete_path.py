"""Paths of symbols against matrix exponentials and Bayes by enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_law import PATHS, noising

from probtransform.paths import discrete

KEY = jax.random.key(0)
TIMES = (0.15, 0.5, 0.9)
BELIEF = np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", PATHS)
def test_the_marginals_are_those_of_the_noising_process(name):
    path = PATHS[name]
    for t in TIMES:
        found = path.marginal(path.known(jnp.arange(3)), t)
        np.testing.assert_allclose(found, noising(path, t)[:3], atol=1e-12)
        mixed = BELIEF @ noising(path, t)[:3]
        np.testing.assert_allclose(path.marginal(jnp.asarray(BELIEF), t), mixed, atol=1e-12)


@pytest.mark.parametrize("kappa", [discrete.linear, discrete.cosine, discrete.polynomial(2.5)])
def test_a_schedule_grows_from_nothing_to_all(kappa):
    share = np.asarray(kappa(jnp.linspace(0.0, 1.0, 101)))
    assert share[0] == 0 and abs(share[-1] - 1) < 1e-15 and (np.diff(share) > 0).all()


def test_the_schedules_are_those_of_the_papers():
    t = jnp.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(discrete.cosine(t), 1 - np.cos(np.pi * t / 2), atol=1e-15)
    np.testing.assert_allclose(discrete.polynomial(3.0)(t), t**3)
    share, slope = discrete.masked(3, discrete.cosine).rate(0.3)
    np.testing.assert_allclose(
        (share, slope), (1 - np.cos(0.15 * np.pi), np.pi / 2 * np.sin(0.15 * np.pi))
    )


@pytest.mark.parametrize("name", PATHS)
def test_draws_have_the_marginals(name):
    path, n = PATHS[name], 20_000
    x = jnp.arange(n) % 3
    drawn = np.asarray(path.point(KEY, x, 0.4))
    for symbol in range(3):
        share = np.bincount(drawn[symbol::3], minlength=len(path.noise)) / (n / 3)
        wanted = noising(path, 0.4)[symbol]
        assert (abs(share - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / (n / 3)) + 1e-12).all()
    late, early = drawn[:-3:3] == 0, drawn[3::3] == 0  # neighbours know nothing of one another
    assert abs(np.corrcoef(late, early)[0, 1]) < 5 / np.sqrt(n / 3)
    assert (np.asarray(path.point(KEY, x, 1.0)) == x).all()


@pytest.mark.parametrize("name", PATHS)
def test_data_are_believed_by_bayes(name):
    path = PATHS[name]
    for t in TIMES:
        seen = noising(path, t)[:3]
        for x_t in range(len(path.noise)):
            wanted = BELIEF * seen[:, x_t]
            wanted /= wanted.sum(1, keepdims=True)
            found = path.data(jnp.asarray(BELIEF), jnp.array([x_t, x_t]), t)
            np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_a_symbol_without_mass_is_never_drawn():
    weights = jnp.array([0.0, 3.0, 0.0, 1.0, 0.0])
    found = np.asarray(discrete.drawn(KEY, jnp.broadcast_to(weights, (40_000, 5))))
    share = np.bincount(found, minlength=5) / 40_000
    assert (share[[0, 2, 4]] == 0).all()
    assert abs(share[1] - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 40_000)


def test_beliefs_are_nowhere_zero():
    law = discrete.believed(jnp.array([[0.0, 500.0], [1.0, 0.0]], jnp.float32))
    assert (law > 0).all()
    np.testing.assert_allclose(law[1], jax.nn.softmax(jnp.array([1.0, 0.0])), rtol=1e-6)


def test_bad_numbers():
    with pytest.raises(ValueError, match="levels=0"):
        discrete.masked(0)
    with pytest.raises(ValueError, match="levels=0"):
        discrete.uniform(0)
    with pytest.raises(ValueError, match="power=0"):
        discrete.polynomial(0)
