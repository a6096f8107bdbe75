"""Equations solved by diffrax: stiff ones, states on the way, and stochastic ones along a known path."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.integrate import adaptive, ito

START = 0.7


def relaxing(x, t):
    """`x' = -5000 (x - cos t) - sin t`: cos t, at once, from anywhere near."""
    return -5000 * (x - jnp.cos(t)) - jnp.sin(t)


def test_a_stiff_equation_needs_few_implicit_steps():
    with jax.enable_x64(True):
        x = jnp.array([1.1])
        explicit = adaptive(1e-6, 1e-6, most=500)(relaxing, x, 0.0, 2.0)
        implicit = adaptive(1e-6, 1e-6, most=500, stiff=True)(relaxing, x, 0.0, 2.0)
    assert jnp.isnan(explicit).all()
    np.testing.assert_allclose(implicit, np.cos(2.0), atol=1e-5)


def test_states_on_the_way():
    times = jnp.array([0.0, 0.3, 1.7, 3.0])
    with jax.enable_x64(True):
        x = adaptive(1e-8, 1e-8)(lambda x, t: -x, jnp.array([2.0, -1.0]), 0.0, 3.0, times)
    np.testing.assert_allclose(x, np.exp(-np.asarray(times))[:, None] * [2, -1], atol=1e-6)


def motion(key, size, most=4096):
    """The Brownian path that the key names."""
    tree = diffrax.VirtualBrownianTree(
        0.0, 1.0, 1 / (8 * most), (size,), key, diffrax.SpaceTimeLevyArea
    )
    return tree.evaluate(0.0, 1.0)


def geometric(key, tolerance):
    """The end of `dx = 0.3 x dt + 0.8 x dW`, and what it is by Itô's formula along the same path."""
    x = ito(tolerance, tolerance)(
        lambda x, t: 0.3 * x, lambda x, t: 0.8 * x, jnp.full(8, START), 0.0, 1.0, key
    )
    return x, START * jnp.exp(0.3 - 0.8**2 / 2 + 0.8 * motion(key, 8))


def test_geometric_brownian_motion_along_one_path(key):
    """Itô's and Stratonovich's answers differ by the factor exp(0.32): the correction is there."""
    with jax.enable_x64(True):
        errors = [jnp.abs(jnp.subtract(*geometric(key, h))).max() for h in (1e-2, 1e-4)]
    assert errors[1] < 5e-3 and errors[1] < errors[0] / 3


def test_the_stationary_law_is_kept(key):
    """`dx = -x dt + sqrt(2) dW` from N(0, 1); a spread without its root would leave 0.57."""
    z = jax.random.normal(key, (20_000,))
    x = ito(1e-2, 1e-2)(
        lambda x, t: -x, lambda x, t: jnp.full_like(x, 2**0.5), z, 0.0, 1.0, jax.random.key(1)
    )
    assert abs(x.var() - 1) < 4 * (2 / 20_000) ** 0.5 + 5e-3
    assert abs(jnp.corrcoef(x, z)[0, 1] - np.exp(-1)) < 0.03


def test_noise_does_not_run_backwards(key):
    with pytest.raises(ValueError, match="start < end"):
        ito()(lambda x, t: x, lambda x, t: x, jnp.ones(2), 1.0, 0.0, key)
