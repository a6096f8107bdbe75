"""Geodesics: there and back, their speed, and where a direction fails."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from manifolds import ALL, every, many, points, tangents

from probtransform.paths import Geodesic, sphere

EDGED = ("sphere", "torus", "rotations", "simplex")  # where a direction may fail
edged = pytest.mark.parametrize("manifold", [ALL[n] for n in EDGED], ids=EDGED)
near = np.testing.assert_allclose


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


@every
def test_log_undoes_exp_and_exp_log(manifold, double):
    # short enough for every injectivity radius, pi/2 the least; and for the edges of the simplex
    x, y = points(manifold, 200), points(manifold, 200, 1)
    short = tangents(manifold, x, 0.05 if manifold is ALL["simplex"] else 0.3)

    def ways(x, y, short):
        v, there = manifold.log(x, y), manifold.exp(x, short)
        back = manifold.embed(manifold.exp(x, v)) - manifold.embed(y)
        return back, manifold.project(x, v) - v, there, manifold.log(x, there) - short

    back, aside, there, off = many(ways)(x, y, short)
    near(back, 0, atol=1e-12)
    near(aside, 0, atol=1e-12)
    inside = jnp.all(there > 0, 1) if manifold is ALL["simplex"] else slice(None)
    near(off[inside], 0, atol=1e-12)


@every
def test_geodesics_lead_from_base_to_data_at_one_speed(manifold, double):
    path, h = Geodesic(manifold), 1e-6

    def one(z, x, t):
        at, velocity, far = path.point(x, z, t), path.velocity(x, z, t), manifold.distance(z, x)
        legs = jnp.stack(
            [manifold.distance(z, at) - t * far, manifold.distance(at, x) - (1 - t) * far]
        )
        slope = manifold.log(at, path.point(x, z, t + h)) / h
        aside = velocity - manifold.project(at, velocity)
        return legs, aside, slope - velocity, jnp.linalg.norm(velocity) - far

    t = jnp.tile(jnp.array([0.0, 0.3, 0.99]), 20)
    legs, aside, slope, speed = many(one)(points(manifold, 60), points(manifold, 60, 1), t)
    near(legs, 0, atol=1e-7)
    near(aside, 0, atol=1e-12)
    near(slope, 0, atol=1e-8)
    near(speed, 0, atol=1e-8)


def test_a_great_circle(double):
    z, x = points(sphere(2), 2)
    angle = np.arccos(z @ x)
    slerp = (np.sin(0.7 * angle) * z + np.sin(0.3 * angle) * x) / np.sin(angle)
    near(Geodesic(sphere(2)).point(x, z, 0.3), slerp, atol=1e-14)


def places_where_directions_fail(manifold):
    """Pairs at no distance, next to none, at the cut locus and next to it, and how far they are."""
    x = points(manifold, 1)[0]
    v = tangents(manifold, x[None])[0]
    v = jnp.eye(3)[0] if manifold is ALL["torus"] else v / jnp.linalg.norm(v)
    cut = jnp.pi / 2 if manifold is ALL["rotations"] else jnp.pi
    far = [0.0, 1e-20, 1e-8, 1e-6, 1e-4]
    if manifold is not ALL["simplex"]:
        far += [cut, cut - 1e-6, cut - 1e-4]
    far = jnp.array(far)
    return jnp.tile(x, (len(far), 1)), many(lambda r: manifold.exp(x, r * v))(far), far


@edged
def test_gradients_are_finite_where_directions_fail(manifold):
    path = Geodesic(manifold)

    def total(x, y):
        ways = jax.vmap(lambda t: path.velocity(y, x, t) ** 2 + path.point(y, x, t))
        plain = manifold.log(x, y).sum() + manifold.exp(x, y - x).sum()
        return ways(jnp.array([0.0, 0.5])).sum() + plain + manifold.distance(x, y)

    x, y, _ = places_where_directions_fail(manifold)
    graded = many(jax.grad(total, (0, 1)))
    for second in (y, x):
        assert all(jnp.isfinite(slope).all() for slope in graded(x, second))


@edged
def test_distances_in_single_precision_where_directions_fail(manifold):
    x, y, far = places_where_directions_fail(manifold)
    near(many(manifold.distance)(x, y), far, rtol=1e-3, atol=1e-6)
    back = many(lambda x, y: manifold.embed(manifold.exp(x, manifold.log(x, y))))(x, y)
    near(back, many(manifold.embed)(y), atol=3e-6)
