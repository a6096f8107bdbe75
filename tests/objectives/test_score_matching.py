"""Implicit and sliced score matching on normals, where the loss is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Network
from probtransform.objectives import score_matching

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
    with pytest.raises(ValueError, match="probes=0"):
        score_matching(pixels, "s", 0)
