"""Flows on manifolds: divergences of spherical harmonics, and densities in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from manifold_flow import densities, draws, flowed, known

from probtransform.core import pushforward
from probtransform.distributions import normal, uniform_on
from probtransform.paths import euclidean, so3, sphere, torus
from probtransform.transforms import flow, geodesic_flow, hutchinson
from probtransform.transforms.geodesic_flow import tangential
from probtransform.transforms.trace import exact

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
near = np.testing.assert_allclose


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


# a harmonic polynomial of degree l on R^(n+1) has the Laplacian -l (l + n - 1) on the sphere
HARMONICS = {
    1: lambda x: x @ jnp.arange(1.0, len(x) + 1),
    2: lambda x: x[0] * x[1] + 2 * (x[0] ** 2 - x[-1] ** 2),
    3: lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2,
}


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_divergence_of_a_gradient_is_the_laplacian(n, double):
    ball = sphere(n)

    @jax.jit
    def divergences(x, keys):
        def of(harmonic):
            field = lambda x: ball.project(x, jax.grad(harmonic)(x))  # noqa: E731
            product = jax.vmap(tangential(ball, x, jax.linearize(field, x)[1]))

            def guess(key):
                return hutchinson().of(product, hutchinson().draw(key, n + 1))

            whole = exact().of(product, jnp.eye(n + 1))
            return whole, jax.vmap(guess)(keys), harmonic(x)

        return {degree: of(harmonic) for degree, harmonic in HARMONICS.items()}

    for x in draws(ball, 5):
        for degree, (found, guesses, value) in divergences(x, jax.random.split(KEY, 2000)).items():
            wanted = -degree * (degree + n - 1) * value
            near(found, wanted, atol=1e-12)
            assert abs(guesses.mean() - wanted) <= 4 * guesses.std() / 2000**0.5 + 1e-12


@pytest.mark.parametrize("n", [1, 3])
def test_a_sphere_drawn_to_its_pole(n, double):
    """`v = k grad x_0` moves the height as `x_0' = k (1 - x_0^2)` and shrinks lengths as it shrinks
    parallels: `p(x) = (sin a_0 / sin a)^n / V` for the polar angles a_0 before and a after."""
    ball, k = sphere(n), 1.3
    pole = jnp.eye(n + 1)[0]
    x = np.asarray(draws(ball, 50))
    before = np.tanh(np.arctanh(x[:, 0]) - k)
    wanted = n / 2 * np.log((1 - before**2) / (1 - x[:, 0] ** 2)) - ball.log_volume
    model = flowed(ball, lambda x, t: k * ball.project(x, pole), steps=64)
    near(densities(model, x), wanted, atol=1e-5)
    z = draws(ball, 50)
    there = jax.vmap(
        lambda z: geodesic_flow(known(lambda x, t: k * ball.project(x, pole)), ball).forward(
            (), KEY, z
        )
    )(z)
    near(there[:, 0], np.tanh(np.arctanh(z[:, 0]) + k), atol=1e-5)


def test_rotations_keep_the_uniform_distribution(double):
    """Of a sphere, whatever the axis does; and of rotations themselves, turned from the right."""
    spin = flowed(sphere(2), lambda x, t: jnp.cross(jnp.array([3 * t, 2.0, -1.0]), x))
    near(densities(spin, draws(sphere(2), 10)), -np.log(4 * np.pi), atol=1e-12)
    turn = flowed(so3(), lambda q, t: so3().tangent(q, jnp.array([0.0, 2.0, t, -3 * t])))
    near(densities(turn, draws(so3(), 10)), -2 * np.log(np.pi), atol=1e-12)


LEAN = jnp.array([0.9, -0.6])


def marginal_velocity(x, t):
    """Of geodesics on the circle from the uniform to `p(x) = (1 + a cos x) / 2 pi`, on either of two.

    Given the end y, x_t is uniform on the arc within `w = (1 - t) pi` of it and goes at
    `(y - x_t) / (1 - t)`. So `p_t = (1 + a cos(x) sin(w)/w) / 2 pi` and
    `p_t v = -a sin(x) (sin w - w cos w) / (2 pi^2 (1 - t)^2)`.
    """
    w = jnp.pi * jnp.maximum(1 - t, 1e-5)
    flux = -LEAN * jnp.sin(x) * (jnp.sin(w) - w * jnp.cos(w)) / (2 * w**2)
    return 2 * jnp.pi * flux / (1 + LEAN * jnp.cos(x) * jnp.sin(w) / w)


def test_the_exact_marginal_field_of_the_torus_makes_its_data(double):
    """Whose density is `prod (1 + a_i cos x_i) / 2 pi`: the theorem of flow matching, and the clock."""
    model = flowed(torus(2), marginal_velocity, steps=50)
    x = np.asarray(draws(torus(2), 50))
    wanted = np.log((1 + LEAN * np.cos(x)) / (2 * np.pi)).sum(1)
    near(densities(model, x), wanted, atol=1e-5)


def test_on_flat_space_it_is_the_plain_flow(double):
    field = known(lambda x, t: jnp.sin(2 * x[::-1]) + t * x)
    plain = pushforward(normal((2,)), f=flow(field, 8))
    curved = pushforward(normal((2,)), f=geodesic_flow(field, euclidean(2), 8))
    for x in RNG.standard_normal((5, 2)):
        a, b = (m.density.fn({"f": ()}, KEY, jnp.asarray(x), None) for m in (plain, curved))
        near(a, b, rtol=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="steps=0"):
        geodesic_flow(known(None), sphere(2), steps=0)
    with pytest.raises(ValueError, match="wanted a compact one"):
        uniform_on(euclidean(2))
    step = geodesic_flow(known(lambda x, t: 0 * x), sphere(2), steps=1)
    for bad in (jnp.zeros((2, 3)), jnp.zeros(4), jnp.zeros(3, int)):
        with pytest.raises(ValueError, match="got an example"):
            step.inverse.fn((), KEY, bad, None)
        with pytest.raises(ValueError, match="got an example"):
            uniform_on(sphere(2)).density.fn({}, KEY, bad, None)
