"""Linear maps against numpy and scipy: matrices, determinants, inverses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from probtransform.conformance import check_transform
from probtransform.transforms.actnorm import actnorm, actnorm_of
from probtransform.transforms.householder import householder
from probtransform.transforms.lu import lu, lu_of, pointwise
from probtransform.transforms.permute import permute

KEY = jax.random.key(0)
MAPS = {
    "permute": (permute([2, 0, 1]), (3,)),
    "householder": (householder(3), (3,)),
    "one reflection in the plane": (householder(2, 1), (2,)),
    "lu": (lu(3, seed=1), (3,)),
    "pointwise": (pointwise((1, 2, 3), seed=0), (1, 2, 3)),
    "actnorm": (actnorm((2, 1, 3)), (2, 1, 3)),
}


def shaken(transform):
    noise = np.random.default_rng(0)
    params = transform.init(KEY)
    return jax.tree.map(lambda p: p + 0.3 * noise.standard_normal(p.shape), params)


def matrix_of(transform, params, size):
    zero = jnp.zeros(size)
    return jax.jacfwd(lambda z: transform.forward(params, KEY, z, None))(zero)


@pytest.mark.parametrize("name", MAPS)
def test_keeps_what_an_exact_bijection_promises(name):
    step, shape = MAPS[name]
    check_transform(step, jnp.zeros(shape), points=100)


def test_permute_puts_entry_order_i_at_i_and_back():
    step, z = permute([2, 0, 1]), jnp.array([10.0, 20.0, 30.0])
    x = step.forward({}, KEY, z, None)
    np.testing.assert_array_equal(x, [30, 10, 20])
    np.testing.assert_array_equal(step.inverse.fn({}, KEY, x, None)[0], z)


@pytest.mark.parametrize("order", [[0, 0, 1], [1, 2], [[0, 1]], [0.5, 1.0]])
def test_permute_wants_each_entry_once(order):
    with pytest.raises(ValueError, match=r"permute: got the order .* wanted each of"):
        permute(order)


@pytest.mark.parametrize("reflections", [1, 2, 4])
def test_householder_is_orthogonal_and_its_determinant_is_that_of_its_reflections(reflections):
    with jax.enable_x64(True):
        step = householder(4, reflections)
        matrix = matrix_of(step, shaken(step), 4)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(matrix), (-1) ** reflections, rtol=1e-12)


def test_a_reflection_is_that_of_its_normal():
    u = np.array([1.0, 2.0, -2.0])
    step = householder(3, 1)
    got = matrix_of(step, {"vectors": jnp.asarray(u[None], jnp.float32)}, 3)
    np.testing.assert_allclose(got, np.eye(3) - 2 * np.outer(u, u) / (u @ u), atol=1e-6)


def test_a_reflection_of_zero_length_is_the_identity_with_finite_gradients():
    step, zero = householder(2, 1), {"vectors": jnp.zeros((1, 2))}
    slope = jax.grad(lambda p: step.forward(p, KEY, jnp.ones(2), None).sum())(zero)
    np.testing.assert_array_equal(step.forward(zero, KEY, jnp.ones(2), None), [1, 1])
    assert np.isfinite(slope["vectors"]).all()


def test_lu_has_the_determinant_and_inverse_of_numpy():
    with jax.enable_x64(True):
        step = lu(5, seed=3)
        params, x = shaken(step), jnp.arange(5.0)
        matrix = matrix_of(step, params, 5)
        z, weight = step.inverse.fn(params, KEY, x, None)
        np.testing.assert_allclose(weight, -np.linalg.slogdet(matrix)[1], rtol=1e-12)
        np.testing.assert_allclose(z, np.linalg.solve(matrix, x - params["shift"]), rtol=1e-10)


def test_lu_of_factors_as_scipy_does():
    a = np.random.default_rng(0).standard_normal((4, 4))
    matrix = a @ a.T + np.eye(4)  # positive definite: scipy does not permute
    _, lower, upper = scipy.linalg.lu(matrix)
    params = lu_of(matrix)
    if np.allclose(scipy.linalg.lu(matrix)[0], np.eye(4)):
        np.testing.assert_allclose(np.tril(params["below"], -1), np.tril(lower, -1), atol=1e-5)
        np.testing.assert_allclose(np.triu(params["above"], 1), np.triu(upper, 1), atol=1e-5)
    np.testing.assert_allclose(matrix_of(lu(4), params, 4), matrix, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "bad, said",
    [
        (np.ones((2, 3)), "wanted a square matrix"),
        (np.ones((2, 2)), "singular"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "reorder its rows"),
    ],
)
def test_lu_of_names_a_matrix_it_cannot_factor(bad, said):
    with pytest.raises(ValueError, match=said):
        lu_of(bad)


def test_scales_stay_within_their_bound_whatever_the_parameters():
    loud = {"below": jnp.zeros((2, 2)), "above": jnp.zeros((2, 2)), "raw": jnp.array([1e6, -1e6])}
    x = lu(2, bound=2.0).forward(loud | {"shift": jnp.zeros(2)}, KEY, jnp.ones(2), None)
    np.testing.assert_allclose(x, np.exp([2.0, -2.0]), rtol=1e-6)


def test_pointwise_multiplies_the_channels_of_every_place_by_one_matrix():
    with jax.enable_x64(True):
        step = pointwise((2, 3, 4), seed=1)
        params = shaken(step)
        z = jax.random.normal(KEY, (2, 3, 4))
        x, weight = step.joint(params, KEY, z, None)
        one = pointwise((1, 1, 4), seed=1)
        matrix = jax.jacfwd(lambda v: one.forward(params, KEY, v.reshape(1, 1, 4)).reshape(4))(
            jnp.zeros(4)
        )
        np.testing.assert_allclose(x, np.einsum("ij,hwj->hwi", matrix, z), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(weight, -6 * np.linalg.slogdet(matrix)[1], rtol=1e-10)


def test_actnorm_of_a_batch_makes_its_channels_standard():
    with jax.enable_x64(True):
        batch = jax.random.normal(KEY, (200, 3, 2, 2)) * jnp.array([0.1, 7.0]) + jnp.array([5, -3])
        step, params = actnorm((3, 2, 2)), actnorm_of(batch)
        z = jax.vmap(lambda x: step.inverse.fn(params, KEY, x, None)[0])(batch)
        np.testing.assert_allclose(z.mean((0, 1, 2)), 0, atol=1e-10)
        np.testing.assert_allclose(z.std((0, 1, 2)), 1, rtol=1e-10)


def test_actnorm_of_a_constant_channel_stays_finite():
    params = actnorm_of(jnp.ones((10, 2)))
    z, weight = actnorm((2,)).inverse.fn(params, KEY, jnp.ones(2), None)
    np.testing.assert_array_equal(z, 0)
    assert np.isfinite(weight)


@pytest.mark.parametrize("name", ["permute", "householder", "lu", "pointwise", "actnorm"])
def test_a_wrong_example_is_named(name):
    step, shape = MAPS[name]
    for bad in (jnp.zeros((2, *shape)), jnp.zeros(7), jnp.zeros(shape, int)):
        with pytest.raises(ValueError, match=r"got an example of .*, wanted .*; "):
            step.inverse.fn(step.init(KEY), KEY, bad, None)
