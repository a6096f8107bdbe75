"""Five ways of score matching on normals, where each loss is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Distribution, Network, Unnormalized
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.networks import mlp
from probtransform.objectives import (
    denoising_score_matching,
    explicit_score_matching,
    finite_difference_score_matching,
    score_matching,
    score_of,
)

KEY = jax.random.key(0)
MIX = np.array([[1.0, 0.3, 0.0], [0.0, 0.7, -0.4], [0.2, 0.0, 1.3]])
X = jnp.asarray(np.random.default_rng(0).standard_normal((500, 3)) @ MIX.T, jnp.float32)
LINEAR = Network(lambda key: jnp.zeros((3, 3)), lambda a, x, cond: a @ x)


def test_the_loss_of_a_linear_score():
    """`(tr A + tr(A C A^T) / 2) / d`, C the second moments of these very data."""
    a = np.array([[-1.0, 0.2, 0.1], [0.0, -0.5, 0.3], [0.4, 0.0, -2.0]])
    second = np.cov(X.T, bias=True) + np.outer(X.mean(0), X.mean(0))
    wanted = (np.trace(a) + np.trace(a @ second @ a.T) / 2) / 3
    exact = score_matching(LINEAR, "s")({"s": jnp.asarray(a)}, (), KEY, Batch(X))[0]
    np.testing.assert_allclose(exact, wanted, rtol=1e-5)
    sliced = jax.jit(
        jax.vmap(lambda k: score_matching(LINEAR, "s", 2)({"s": a}, (), k, Batch(X))[0])
    )
    found = np.asarray(sliced(jax.random.split(KEY, 200)))
    error = found.std() / np.sqrt(200)
    assert abs(found.mean() - wanted) < 4 * error and 1e-5 < error < 0.01


def test_its_minimum_is_the_score():
    """`A = -C^-1`, found by descent."""
    loss = score_matching(LINEAR, "s")
    second = np.asarray(X.T @ X / len(X), np.float64)
    tx, params = optax.lbfgs(), {"s": jnp.zeros((3, 3))}
    state = tx.init(params)

    def value(p):
        return loss(p, (), KEY, Batch(X))[0]

    @jax.jit
    def step(params, state):
        now, slope = optax.value_and_grad_from_state(value)(params, state=state)
        moves, state = tx.update(slope, state, params, value=now, grad=slope, value_fn=value)
        return optax.apply_updates(params, moves), state

    for _ in range(40):
        params, state = step(params, state)
    np.testing.assert_allclose(params["s"], -np.linalg.inv(second), rtol=0, atol=2e-3)


def test_images_too():
    pixels = Network(lambda key: 0.0, lambda a, x, cond: a * x**2)
    x = jnp.linspace(-1, 1, 12).reshape(1, 2, 3, 2)
    found = score_matching(pixels, "s")({"s": 0.5}, (), KEY, Batch(x))[0]
    np.testing.assert_allclose(found, np.mean(x + x**4 / 8), rtol=1e-6)
    blurred = jax.jit(denoising_score_matching(pixels, "s", 0.1))({"s": 0.5}, (), KEY, Batch(x))[0]
    assert np.isfinite(blurred)


def test_an_energy_of_many_numbers_has_no_score():
    vector = Network(lambda key: (), lambda params, x, cond: x)
    score = score_of(tilted(normal((3,)), vector, mala(0.1), 1), "energy")
    with pytest.raises(ValueError, match=r"energy of shape .*wanted a scalar"):
        score.apply((), X[0])


def test_wrong_numbers_are_refused():
    for wrong in (
        lambda: score_matching(LINEAR, "s", 0),
        lambda: finite_difference_score_matching(QUADRATIC, 0.1, 0),
    ):
        with pytest.raises(ValueError, match="probes=0"):
            wrong()
    with pytest.raises(ValueError, match="noise=0"):
        denoising_score_matching(LINEAR, "s", 0.0)
    with pytest.raises(ValueError, match="distance=-1"):
        finite_difference_score_matching(QUADRATIC, -1.0)
    with pytest.raises(ValueError, match="'energy' alone"):
        score_of(QUADRATIC, "energy")


A = np.array([[-1.0, 0.2, 0.1], [0.2, -0.5, 0.3], [0.1, 0.3, -2.0]])
SECOND = np.asarray(X, np.float64).T @ np.asarray(X, np.float64) / len(X)
QUADRATIC = Distribution(
    lambda key: {"a": jnp.zeros((3, 3))},
    lambda params, key, cond: jnp.zeros(3),
    Unnormalized(lambda params, key, x, cond=None: x @ params["a"] @ x / 2),
)


def draws_of(loss, params, count):
    """Values under many keys: their mean and its standard error."""
    keys = jax.random.split(KEY, count)
    values = jax.jit(lambda p, keys: jax.lax.map(lambda k: loss(p, (), k, Batch(X))[0], keys))
    found = np.asarray(values(params, keys), np.float64)
    return found.mean(), found.std() / np.sqrt(count)


def wanted_of(a, second):
    return (np.trace(a) + np.trace(a @ second @ a.T) / 2) / 3


def test_beside_the_score_itself():
    """`E |A x - B x|^2 / 2d`, which is what the others are once B's own are taken away."""
    b = -np.linalg.inv(SECOND)
    loss = explicit_score_matching(LINEAR, "s", lambda x, cond: jnp.asarray(b, jnp.float32) @ x)
    found = loss({"s": jnp.asarray(A)}, (), KEY, Batch(X))[0]
    np.testing.assert_allclose(found, wanted_of(A, SECOND) - wanted_of(b, SECOND), rtol=1e-4)


@pytest.mark.parametrize("noise", [0.01, 0.5])
def test_noise_taken_away_again_is_the_score_of_blurred_data(noise):
    """The same formula, the second moments those of `x + noise e`, and little noise costs no precision."""
    mean, error = draws_of(denoising_score_matching(LINEAR, "s", noise), {"s": jnp.asarray(A)}, 400)
    assert abs(mean - wanted_of(A, SECOND + noise**2 * np.eye(3))) < 4 * error + 1e-5
    assert error < 0.004


def test_little_noise_brings_no_variance():
    """With its opposite an e leaves an example that of `e . A e / d`, which is `2 |A|^2 / d^2`."""
    _, error = draws_of(denoising_score_matching(LINEAR, "s", 1e-3), {"s": jnp.asarray(A)}, 4000)
    np.testing.assert_allclose(4000 * error**2, 2 * np.sum(A**2) / 9 / len(X), rtol=0.1)


@pytest.mark.parametrize("distance, probes", [(0.1, 1), (1.0, 3)])
def test_differences_of_a_quadratic_are_its_derivatives(distance, probes):
    loss = finite_difference_score_matching(QUADRATIC, distance, probes)
    mean, error = draws_of(loss, {"a": jnp.asarray(A)}, 400)
    assert abs(mean - wanted_of(A, SECOND)) < 4 * error + 1e-5
    assert error < 0.004


@pytest.fixture(scope="module")
def bent():
    """A tilted normal with a perceptron for an energy, and its parameters."""
    body = mlp(3, 1, 16, 2)
    energy = Network(body.init, lambda params, x, cond: 5 * jnp.tanh(body.apply(params, x)[0]))
    law = tilted(normal((3,)), energy, mala(0.1), 1)
    return law, law.init(KEY)


def test_an_energy_is_a_score_by_its_slope(bent):
    """By finite differences, and with all ways on one nonlinear energy agreeing on the value."""
    law, params = bent
    score = score_of(law, "energy")
    found = jax.vmap(score.apply, (None, 0, None))(params["energy"], X, None)
    step = 1e-2 * jnp.eye(3)

    def g(x):
        return law.density.fn(params, None, x)

    slopes = jax.vmap(lambda x: jax.vmap(lambda e: (g(x + e) - g(x - e)) / 2e-2)(step))(X)
    np.testing.assert_allclose(found, slopes, atol=2e-3)
    exact = jax.jit(score_matching(score, "energy"))(params, (), KEY, Batch(X))[0]
    for loss in (
        score_matching(score, "energy", 1),
        denoising_score_matching(score, "energy", 0.02),
        finite_difference_score_matching(law, 0.03),
    ):
        mean, error = draws_of(loss, params, 100)
        assert abs(mean - exact) < 4 * error + 0.002 and error < 0.01
