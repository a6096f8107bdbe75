"""Roots of increasing functions: right to rounding, gradients of the implicit function, else NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.core import reading
from probtransform.networks import mlp
from probtransform.transforms import coupling
from probtransform.transforms.bisection import solve_increasing
from probtransform.transforms.monotone import monotone

TARGETS = jnp.array([-1e6, -50.0, -1.0, -1e-6, 0.0, 1e-6, 0.3, 2.0, 1e6])


@pytest.mark.parametrize(
    "f, inverse",
    [
        (lambda z: 2 * z + 1, lambda y: (y - 1) / 2),
        (jnp.sinh, np.arcsinh),
        (lambda z: 1e-3 * z, lambda y: 1e3 * y),
        (lambda z: z + z**3, lambda y: np.array([real_root([1, 0, 1, -v]) for v in y])),
    ],
)
def test_the_root_is_that_of_the_closed_form(f, inverse):
    got = jax.jit(jax.vmap(lambda y: solve_increasing(f, y)))(TARGETS)
    np.testing.assert_allclose(got, inverse(np.asarray(TARGETS, float)), rtol=2e-5, atol=1e-6)


def real_root(coefficients):
    roots = np.roots(coefficients)
    return roots[abs(roots.imag).argmin()].real


@pytest.mark.parametrize(
    "f",
    [
        jnp.tanh,  # never reaches 2
        lambda z: jnp.where(z < 1.5, z, z + 2),  # jumps over 2
        lambda z: jnp.zeros_like(z),  # flat
        lambda z: -z,  # decreasing
        lambda z: z * jnp.nan,
    ],
)
def test_without_a_certificate_the_root_is_nan(f):
    assert np.isnan(jax.jit(lambda y: solve_increasing(f, y))(jnp.asarray(2.0)))


@pytest.mark.parametrize("y", [jnp.nan, jnp.inf, -jnp.inf])
def test_what_is_no_number_has_no_root(y):
    assert np.isnan(solve_increasing(lambda z: 2 * z, jnp.asarray(y)))


def test_gradients_are_those_of_the_implicit_function():
    """`a z + z^3 = y`: `dz/dy = 1/(a + 3z^2)`, `dz/da = -z/(a + 3z^2)`, forward and reverse."""

    def root(a, y):
        return solve_increasing(lambda z: a * z + z**3, y)

    with jax.enable_x64(True):
        at = (jnp.asarray(2.0), jnp.asarray(3.0))  # z = 1
        for grad in (jax.grad, jax.jacfwd):
            np.testing.assert_allclose(grad(root, (0, 1))(*at), [-1 / 5, 1 / 5], rtol=1e-12)
        # d2z/dy2 = -6z/(a + 3z^2)^3
        np.testing.assert_allclose(jax.grad(jax.grad(root, 1), 1)(*at), -6 / 125, rtol=1e-10)


def test_monotone_starts_as_the_identity_and_its_slope_stays_within_bounds():
    scalar = monotone(4)
    z = jnp.linspace(-5, 5, 7)
    x, log_slope = jax.vmap(lambda z: scalar.forward(jnp.zeros(scalar.size), z))(z)
    np.testing.assert_array_equal(x, z)
    np.testing.assert_array_equal(log_slope, 0)
    wild = 50 * jax.random.normal(jax.random.key(0), (200, scalar.size))
    slopes = jax.vmap(lambda t: scalar.forward(t, jnp.asarray(0.1))[1])(wild)
    assert (abs(slopes) <= 4.0 + 1e-5).all()


def test_monotone_slope_is_the_derivative_and_the_inverse_its_inverse():
    scalar = monotone(4)
    with jax.enable_x64(True):
        for i in range(20):
            key, other = jax.random.split(jax.random.key(i))
            theta, z = 2 * jax.random.normal(key, (scalar.size,)), jax.random.normal(other) * 3
            x, log_slope = scalar.forward(theta, z)
            slope = jax.grad(lambda z: scalar.forward(theta, z)[0])(z)
            np.testing.assert_allclose(log_slope, jnp.log(slope), rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(
                scalar.inverse(theta, x), (z, log_slope), rtol=1e-9, atol=1e-9
            )


def test_monotone_in_a_coupling_keeps_what_it_promises():
    scalar = monotone(4)
    net = reading(mlp(2, 2 * scalar.size, 8, 1), lambda x, cond: x)
    check_transform(coupling(net, [1.0, 0.0], scalar), jnp.zeros(2), points=100)


def test_monotone_wants_a_unit():
    with pytest.raises(ValueError, match="monotone: got units=0"):
        monotone(0)
