"""Runge and Kutta against exponentials, rotations, and the order they promise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.integrate import runge_kutta


def error(steps):
    """Of the logistic curve `x' = x (1 - x)` at t = 4, from 0.1."""
    with jax.enable_x64(True):
        x = runge_kutta(lambda x, t: x * (1 - x), jnp.asarray(0.1), 0.0, 4.0, steps)
        return abs(float(x) - 1 / (1 + 9 * np.exp(-4.0)))


def test_the_error_falls_with_the_fourth_power_of_the_step():
    orders = np.log2([error(16) / error(32), error(32) / error(64)])
    assert (abs(orders - 4) < 0.3).all()


@pytest.mark.parametrize("start, end", [(0.0, 1.0), (1.0, 0.0), (0.5, 2.0)])
def test_time_runs_either_way(start, end):
    x = runge_kutta(lambda x, t: 2 * t * jnp.ones_like(x), jnp.zeros(2), start, end, 4)
    np.testing.assert_allclose(x, end**2 - start**2, rtol=1e-6)


def test_a_pytree_moves_as_one():
    """`q' = p, p' = -q` is a rotation."""
    field = lambda x, t: {"q": x["p"], "p": -x["q"]}  # noqa: E731
    x = runge_kutta(field, {"q": jnp.ones(()), "p": jnp.zeros(())}, 0.0, np.pi / 2, 32)
    np.testing.assert_allclose([x["q"], x["p"]], [0, -1], atol=1e-5)


def test_gradients_pass_through_the_steps():
    """`d/da e^a = e^a`."""
    slope = jax.grad(lambda a: runge_kutta(lambda x, t: a * x, jnp.ones(()), 0.0, 1.0, 32))(0.5)
    np.testing.assert_allclose(slope, np.exp(0.5), rtol=1e-5)
