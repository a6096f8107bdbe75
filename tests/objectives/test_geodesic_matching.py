"""Riemannian flow matching against fields that are known: one point, the circle, couplings by hand."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Network
from probtransform.distributions import normal, uniform_on
from probtransform.objectives import coupling, geodesic_matching, squared_geodesic
from probtransform.paths import euclidean, product, simplex, so3, sphere, torus

KEY = jax.random.key(0)
ALL = {
    "sphere": sphere(2),
    "torus": torus(2),
    "rotations": so3(),
    "simplex": simplex(3),
    "product": product(sphere(1), torus(1)),
    "space": euclidean(2),
}
every = pytest.mark.parametrize("manifold", ALL.values(), ids=ALL)


def known(field):
    return Network(lambda key: (), lambda params, x, t, cond: field(x, t))


def base_of(manifold):
    return uniform_on(manifold) if manifold.uniform else normal((manifold.size,))


@every
def test_towards_one_point_nothing_is_left_to_guess(manifold):
    """`v = log_x(y) / (1 - t)` is every geodesic's own velocity; standing still costs E d^2 / dimension."""
    with jax.enable_x64(True):
        y, n = base_of(manifold).sample({}, jax.random.key(7)), 500
        data = Batch(jnp.tile(y, (n, 1)))
        ahead = known(lambda x, t: manifold.log(x, y) / (1 - t))
        still = known(lambda x, t: jnp.zeros_like(x))
        base = base_of(manifold)

        @jax.jit
        def both(key):
            z = jax.vmap(lambda k: base.sample({}, k))(jax.random.split(key, 4000))
            losses = [geodesic_matching(net, "v", manifold, base) for net in (ahead, still)]
            paid = [loss({"v": ()}, (), key, data)[0] for loss in losses]
            return *paid, jax.vmap(lambda z: manifold.distance(z, y) ** 2)(z) / manifold.dimension

        least, paid, squares = both(KEY)
        assert least < 1e-12
        error = squares.std() * np.sqrt(1 / 4000 + 1 / n)
        assert abs(paid - squares.mean()) < 4 * error


def test_the_marginal_velocity_of_the_circle_is_the_minimiser():
    """Data `p(x) = (1 + a cos x) / 2 pi`; in every direction the loss is flat there, and nowhere else.

    The field: given the end y, x_t is uniform on the arc within `w = (1 - t) pi` of it and goes at
    `(y - x_t) / (1 - t)`; integrate over y.
    """
    lean, n = 0.9, 50_000
    circle = torus(1)

    def velocity(x, t):
        w = jnp.pi * jnp.maximum(1 - t, 1e-2)
        flux = -lean * jnp.sin(x) * (jnp.sin(w) - w * jnp.cos(w)) * jnp.pi / w**2
        return flux / (1 + lean * jnp.cos(x) * jnp.sin(w) / w)

    rng = np.random.default_rng(0)
    x = rng.uniform(-np.pi, np.pi, 3 * n)
    data = x[rng.uniform(size=3 * n) < (1 + lean * np.cos(x)) / (1 + lean)][:n, None]
    data = Batch(jnp.asarray(data, jnp.float32))
    bumps = (lambda x, t: jnp.sin(x), lambda x, t: t * jnp.sin(2 * x), lambda x, t: jnp.cos(x) + t)

    @jax.jit
    def slopes(scale, key):
        def at(weights):
            def field(x, t):
                away = sum(w * bump(x, t) for w, bump in zip(weights, bumps, strict=True))
                return scale * velocity(x, t) + away

            loss = geodesic_matching(known(field), "v", circle, uniform_on(circle))
            return loss({"v": ()}, (), key, data)[0]

        return jax.grad(at)(jnp.zeros(3))

    keys = jax.random.split(KEY, 8)
    right, wrong = (np.stack([slopes(s, k) for k in keys]) for s in (1.0, 0.9))
    error = right.std(0, ddof=1) / np.sqrt(8) + 2 / np.sqrt(n) / 2  # of draws, and of data
    assert (abs(right.mean(0)) < 3 * error).all()
    assert abs(wrong.mean(0)[0]) > 4 * error[0]


@every
def test_the_cost_is_the_squared_distance(manifold):
    sample = jax.vmap(lambda k: base_of(manifold).sample({}, k))
    z, x = (sample(jax.random.split(jax.random.key(i), 5)) for i in (0, 1))
    cost = jax.jit(squared_geodesic(manifold))(z, x)
    far = jax.jit(jax.vmap(manifold.distance))
    for i in range(5):
        np.testing.assert_allclose(cost[:, i], far(jnp.tile(z[i], (5, 1)), x) ** 2, rtol=1e-4)


def test_transport_on_a_circle_goes_the_short_way():
    """Every draw is a little behind its example, one of them across the seam, as only geodesics see."""
    x = jnp.array([[-3.1], [-1.0], [1.0], [3.0]])
    z = jnp.array([[0.9], [3.1], [2.9], [-1.1]])
    i = coupling.optimal(squared_geodesic(torus(1)))(KEY, z, x, None)
    assert i.tolist() == [1, 3, 0, 2]
    flat = coupling.optimal(coupling.squared)(KEY, z, x, None)
    assert flat.tolist() == [3, 0, 2, 1]


def test_a_coupling_gives_each_example_its_draw():
    """With the optimal one, standing still costs the least assignment's mean squared distance."""
    manifold, seen = sphere(2), []
    x = jax.vmap(manifold.uniform)(jax.random.split(jax.random.key(3), 6))

    def spy(key, z, x, cond):
        seen.append(np.asarray(jax.jit(squared_geodesic(manifold))(z, x)))
        return jax.jit(coupling.optimal(squared_geodesic(manifold)))(key, z, x, cond)

    still = known(lambda x, t: jnp.zeros_like(x))
    loss = geodesic_matching(still, "v", manifold, uniform_on(manifold), spy)
    paid = loss({"v": ()}, (), KEY, Batch(x))[0]
    least = min(
        sum(seen[0][j, i] for j, i in enumerate(order))
        for order in itertools.permutations(range(6))
    )
    np.testing.assert_allclose(paid, least / 6 / 2, rtol=1e-4)
