"""Runge and Kutta on spheres and rotations, against hyperbolic tangents and scipy in the space around."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from probtransform.integrate import geodesic_runge_kutta
from probtransform.paths import euclidean, simplex, so3, sphere, torus

Q = np.array([0.1, -0.7, 0.5, 0.5])
Q = Q / np.linalg.norm(Q)


def rising(x, t):
    """A field on the sphere: up, faster and faster, and round: `x_3' = (1 + 3 t^2) (1 - x_3^2)`."""
    up = (1 + 3 * t**2) * jnp.array([0.0, 0.0, 1.0])
    around = jnp.cross(jnp.array([0.3, 0.0, 4.0]), x) * jnp.array([1.0, 1.0, 0.0])
    return sphere(2).project(x, up + around)


def tumbling(q, t):
    return so3().tangent(q, jnp.array([0.0, jnp.cos(5 * t), 2 * t, 1.5 * jnp.sin(3 * t)]))


def selecting(x, t):
    return simplex(3).tangent(x, jnp.array([1.0, -1.0, 2 * t, 0.5]) + 2 * jnp.sin(3 * x))


FIELDS = {
    "sphere": (sphere(2), rising, np.array([0.6, 0.0, -0.8])),
    "rotations": (so3(), tumbling, Q),
    "simplex": (simplex(3), selecting, np.abs(Q)),
}


@pytest.mark.parametrize("name", FIELDS)
def test_the_error_falls_with_the_fourth_power_of_the_step(name):
    """Against a solver of the space around, which knows of no manifold."""
    manifold, field, x = FIELDS[name]
    with jax.enable_x64(True):
        slope = jax.jit(field)
        around = solve_ivp(lambda t, x: slope(x, t), (0, 1), x, rtol=1e-12, atol=1e-13).y[:, -1]
        errors = []
        for steps in (8, 16, 32):
            end, rest = geodesic_runge_kutta(
                manifold,
                lambda s, t: (field(s[0], t), 4 * t**3),
                (jnp.asarray(x), 0.0),
                0,
                1,
                steps,
            )
            errors.append(np.abs(end - around).max())
            np.testing.assert_allclose(rest, 1, atol=1e-12)
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (np.abs(orders - 4) < 0.4).all(), orders
    assert errors[-1] < 1e-5


@pytest.mark.parametrize("name", FIELDS)
def test_points_stay_on_the_manifold_in_single_precision(name):
    manifold, field, _ = FIELDS[name]
    keys = jax.random.split(jax.random.key(0), 200)
    starts = jax.vmap(manifold.uniform)(keys)

    @jax.jit
    @jax.vmap
    def there_and_back(x):
        derivative = lambda s, t: (field(s[0], t), ())  # noqa: E731
        there, _ = geodesic_runge_kutta(manifold, derivative, (x, ()), 0.0, 1.0, 64)
        back, _ = geodesic_runge_kutta(manifold, derivative, (there, ()), 1.0, 0.0, 64)
        return there, back

    there, back = there_and_back(starts)
    assert abs(np.linalg.norm(np.float64(there), axis=1) - 1).max() < 1e-6
    np.testing.assert_allclose(back, starts, atol=2e-4)


def test_a_flat_manifold_is_the_plain_method():
    from probtransform.integrate import runge_kutta

    field = lambda x, t: jnp.sin(x[::-1]) + t  # noqa: E731
    x = jnp.array([0.4, -1.2])
    plain = runge_kutta(field, x, 0.0, 2.0, 7)
    for manifold in (euclidean(2), torus(2)):
        curved, _ = geodesic_runge_kutta(
            manifold, lambda s, t: (field(s[0], t), ()), (x, ()), 0.0, 2.0, 7
        )
        np.testing.assert_allclose(manifold.embed(curved), manifold.embed(plain), atol=2e-6)


def test_a_rotation_does_not_know_which_of_its_names_it_began_with():
    ends = [
        geodesic_runge_kutta(
            so3(), lambda s, t: (tumbling(s[0], t), ()), (jnp.asarray(q, jnp.float32), ()), 0, 1, 8
        )[0]
        for q in (Q, -Q)
    ]
    np.testing.assert_allclose(ends[0], -ends[1], atol=1e-6)
