"""Manifolds against trigonometry, quadrature, finite differences and scipy's rotations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from manifolds import ALL, every, many, points, tangents
from scipy.integrate import quad
from scipy.spatial.transform import Rotation
from scipy.special import gammaln
from scipy.stats import beta, kstest

from probtransform.paths import euclidean, product, simplex, so3, sphere, torus
from probtransform.paths.sphere import multiplied, rotation

RNG = np.random.default_rng(0)
near = np.testing.assert_allclose


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


@every
def test_points_stay_points(manifold, double):
    """Their own nearest, each; geodesics do not leave."""
    x = points(manifold, 100)
    near(many(manifold.nearest)(x), x, atol=1e-15)
    there = many(manifold.exp)(x, tangents(manifold, x, 3.0))
    assert many(lambda x: manifold.contains(x, 1e-12))(there).all()


def test_distances_are_those_of_the_books(double):
    x, y = (np.asarray(points(sphere(5), 50, s)) for s in (0, 1))
    near(many(sphere(5).distance)(x, y), np.arccos((x * y).sum(1)), rtol=1e-10)
    x, y = (np.asarray(points(torus(2), 50, s)) for s in (0, 1))
    turns = 2 * np.pi * np.stack(np.meshgrid(*[[-1, 0, 1]] * 2), -1).reshape(-1, 1, 2)
    shortest = np.linalg.norm(y + turns - x, axis=-1).min(0)
    near(many(torus(2).distance)(x, y), shortest, rtol=1e-10)
    x, y = (np.asarray(points(so3(), 50, s)) for s in (0, 1))
    a, b = (Rotation.from_quat(q, scalar_first=True) for q in (x, y))
    near(many(so3().distance)(x, y), (a.inv() * b).magnitude() / 2, rtol=1e-10)
    near(many(so3().distance)(x, -y), (a.inv() * b).magnitude() / 2, rtol=1e-10)
    p, q = RNG.dirichlet(np.ones(4), (2, 50))
    bhattacharyya = np.arccos(np.sqrt(p * q).sum(1))
    near(many(simplex(3).distance)(np.sqrt(p), np.sqrt(q)), bhattacharyya, rtol=1e-10)
    x, y = (np.asarray(points(ALL["product"], 50, s)) for s in (0, 1))
    parts = zip((sphere(1), torus(2)), np.split(x, [2], 1), np.split(y, [2], 1), strict=True)
    squares = sum(np.asarray(many(m.distance)(a, b)) ** 2 for m, a, b in parts)
    near(many(ALL["product"].distance)(x, y), np.sqrt(squares), rtol=1e-10)


def test_quaternions_turn_as_scipys(double):
    q = np.asarray(points(so3(), 20))
    w = RNG.standard_normal((20, 3))
    turned = Rotation.from_quat(q, scalar_first=True)
    near(many(rotation)(q), turned.as_matrix(), atol=1e-14)
    # q' = q w turns at twice |w| about the body's own axis w
    body = many(multiplied)(q, np.pad(w, ((0, 0), (1, 0))))
    after = many(lambda q, v: rotation(so3().exp(q, v)))(q, body)
    near(after, (turned * Rotation.from_rotvec(2 * w)).as_matrix(), atol=1e-13)


@every
def test_the_projection_is_the_derivative_of_the_nearest_point(manifold, double):
    """Of an embedded manifold; it is symmetric, its own square, and as large as the dimension."""
    h = 1e-5

    def one(x):
        axes = jnp.eye(manifold.size)
        ahead, behind = (jax.vmap(manifold.nearest)(x + s * h * axes) for s in (1, -1))
        matrix = jax.vmap(lambda w: manifold.project(x, w))(axes).T
        return matrix, (ahead - behind) / (2 * h)

    for matrix, slopes in zip(*many(one)(points(manifold, 5)), strict=True):
        near(matrix, matrix.T, atol=1e-15)
        near(matrix @ matrix, matrix, atol=1e-14)
        near(np.trace(matrix), manifold.dimension, rtol=1e-14)
        near(slopes, matrix, atol=1e-8)


@every
def test_every_tangent_can_be_said(manifold, double):
    """`tangent` is linear and onto, and lands in the tangent space."""
    w = jnp.asarray(RNG.standard_normal(manifold.size))

    def one(x):
        rows = jax.vmap(lambda w: manifold.tangent(x, w))(jnp.eye(manifold.size))
        return rows, jax.vmap(lambda v: manifold.project(x, v))(rows), manifold.tangent(x, 2 * w)

    for rows, projected, twice in zip(*many(one)(points(manifold, 5)), strict=True):
        assert (np.linalg.svd(rows)[1] > 1e-6).sum() == manifold.dimension
        near(projected, rows, atol=1e-14)
        near(twice, 2 * w @ rows, atol=1e-13)


def test_two_names_of_a_point_have_one_tangent(double):
    q, w = points(so3(), 1)[0], jnp.asarray(RNG.standard_normal(4))
    near(so3().embed(-q), so3().embed(q), atol=1e-15)
    near(so3().tangent(-q, w), -so3().tangent(q, w), atol=1e-15)
    angle = points(torus(3), 1)[0]
    near(torus(3).embed(angle + 2 * jnp.pi), torus(3).embed(angle), atol=1e-14)


def test_no_field_leads_out_of_the_simplex(double):
    """`p_i' = 2 x_i v_i` is the replicator equation."""
    p, w = np.array([0.5, 0.3, 0.2, 0.0]), RNG.standard_normal(4)
    x = jnp.sqrt(p)
    near(2 * x * simplex(3).tangent(x, w), 2 * p * (w - p @ w), atol=1e-14)
    assert simplex(3).tangent(x, w)[3] == 0


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_volumes(n):
    """Of the sphere by slices, `V_n = V_(n-1) integral sin^(n-1)`; of the simplex by Dirichlet's integral."""
    volume = 2 * np.pi
    for k in range(2, n + 1):
        volume *= quad(lambda angle, k=k: np.sin(angle) ** (k - 1), 0, np.pi)[0]
    near(sphere(n).log_volume, np.log(volume), rtol=1e-9)
    # in p the volume element is 2^-n prod p_i^-1/2 dp
    dirichlet = (n + 1) * gammaln(0.5) - gammaln((n + 1) / 2) - n * np.log(2)
    near(simplex(n).log_volume, dirichlet, rtol=1e-12, atol=1e-12)
    near(torus(n).log_volume, n * np.log(2 * np.pi), rtol=1e-12)


def test_the_volume_of_rotations():
    """Those by an angle 2 s are a sphere of radius sin s."""
    volume = quad(lambda s: 4 * np.pi * np.sin(s) ** 2, 0, np.pi / 2)[0]
    near(so3().log_volume, np.log(volume), rtol=1e-12)
    near(product(so3(), torus(1)).log_volume, np.log(volume * 2 * np.pi), rtol=1e-12)


def test_draws_are_uniform():
    n = 20_000
    x = np.asarray(points(sphere(2), n))
    for axis in x.T:  # Archimedes: slices of one height have one area
        assert kstest(axis, "uniform", (-1, 2)).pvalue > 1e-3
    near(x.T @ x / n, np.eye(3) / 3, atol=0.01)
    angles = np.asarray(points(torus(2), n))
    for axis in angles.T:
        assert kstest(axis, "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-3
    assert abs(np.corrcoef(angles.T)[0, 1]) < 0.03
    pair = np.asarray(points(product(torus(1), torus(1)), n))
    assert abs(np.corrcoef(pair.T)[0, 1]) < 0.03
    turned = 2 * np.arccos(np.abs(np.asarray(points(so3(), n))[:, 0]))
    assert (
        kstest(turned, lambda a: (a - np.sin(a)) / np.pi).pvalue > 1e-3
    )  # Haar's law of the angle
    p = np.asarray(points(simplex(3), n)) ** 2
    for share in p.T:  # Dirichlet(1/2, ...)
        assert kstest(share, beta(0.5, 1.5).cdf).pvalue > 1e-3


def test_what_is_off_a_manifold():
    assert sphere(2).contains(jnp.array([0.6, 0.8, 0.0]))
    assert not sphere(2).contains(jnp.array([0.6, 0.9, 0.0]))
    assert not simplex(2).contains(jnp.array([0.6, -0.8, 0.0]))
    assert torus(1).contains(jnp.array([9.0]))
    near(torus(1).nearest(jnp.array([9.0])), 9 - 2 * np.pi, rtol=1e-6)


def test_bad_input():
    for make in (sphere, simplex, torus, euclidean):
        with pytest.raises(ValueError, match="=0, wanted at least 1"):
            make(0)
