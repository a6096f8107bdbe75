"""Block autoregressive flows: the triangle, slopes by autodiff, bounds, and the way back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.transforms import block_autoregressive

KEY = jax.random.key(0)


def shaken(params, scale=0.5):
    noise = np.random.default_rng(0)
    return jax.tree.map(lambda p: p + scale * noise.standard_normal(p.shape).astype("f"), params)


@pytest.mark.parametrize("size, depth", [(2, 1), pytest.param(3, 3, marks=pytest.mark.slow)])
def test_keeps_what_an_exact_bijection_promises(size, depth):
    step = block_autoregressive(size, units=3, depth=depth)
    check_transform(step, jnp.zeros(size), points=30)


def test_a_lone_number_has_none_before_it():
    step = block_autoregressive(1)
    params = shaken(step.init(KEY))
    x = jnp.linspace(-9, 9, 50)[:, None]
    z, weight = jax.vmap(lambda x: step.inverse.fn(params, KEY, x))(x)
    slope = jax.vmap(jax.grad(lambda x: step.inverse.fn(params, KEY, x)[0].sum()))(x)
    np.testing.assert_allclose(weight, jnp.log(slope[:, 0]), atol=1e-5)
    np.testing.assert_allclose(jax.vmap(lambda z: step.forward(params, KEY, z))(z), x, atol=1e-4)


def test_starts_as_the_identity():
    step, x = block_autoregressive(3, depth=2), jnp.array([-5.0, 0.1, 30.0])
    z, weight = step.inverse.fn(step.init(KEY), KEY, x)
    np.testing.assert_array_equal(z, x)
    assert weight == 0


def test_every_entry_reads_all_before_it_and_none_after():
    step = block_autoregressive(4, units=3, depth=2)
    params = shaken(step.init(KEY))
    jacobian = jax.jacfwd(lambda x: step.inverse.fn(params, KEY, x)[0])(jnp.arange(4.0) / 3)
    np.testing.assert_array_equal(np.asarray(jacobian != 0), np.tril(np.ones((4, 4), bool)))


@pytest.mark.parametrize("scale", [0.5, 50.0])
def test_no_parameters_leave_the_bounds_of_the_slope(scale):
    """`e^-2 .. e^2` times the scale's own `e^-2 .. e^2`."""
    step = block_autoregressive(3, units=4, depth=2)
    params = shaken(step.init(KEY), scale)
    x = jnp.asarray(np.random.default_rng(1).normal(0, 3, (2000, 3)), jnp.float32)
    jacobian = jax.jit(jax.vmap(jax.jacfwd(lambda x: step.inverse.fn(params, KEY, x)[0])))(x)
    slope = np.diagonal(jacobian, axis1=1, axis2=2)
    assert (slope > np.exp(-4.001)).all() and (slope < np.exp(4.001)).all()


def test_no_units_are_refused():
    with pytest.raises(ValueError, match="block_autoregressive: got units=0"):
        block_autoregressive(2, units=0)
