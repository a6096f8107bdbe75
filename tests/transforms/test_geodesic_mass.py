"""Flows on manifolds keep mass one, by quadrature, and lead there and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from manifold_flow import bent, densities, draws, flowed, known

from probtransform.distributions import uniform_on
from probtransform.paths import product, simplex, so3, sphere, torus
from probtransform.transforms import geodesic_flow

KEY = jax.random.key(0)
near = np.testing.assert_allclose


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def nodes(n, low, high):
    x, w = np.polynomial.legendre.leggauss(n)
    return (x + 1) / 2 * (high - low) + low, w * (high - low) / 2


def grid_of(name):
    """Points of the manifold and the volume that each stands for."""
    if name == "rotations":  # (cos h e^ia, sin h e^ib) has the volume ds da db / 2, s = sin^2 h
        s, ws = nodes(10, 0, 1)
        a = np.arange(20) * 2 * np.pi / 20
        s, a, b = (g.ravel() for g in np.meshgrid(s, a, a, indexing="ij"))
        c, d = np.sqrt(1 - s), np.sqrt(s)
        q = np.stack([c * np.cos(a), c * np.sin(a), d * np.cos(b), d * np.sin(b)], 1)
        return so3(), q, np.repeat(ws / 2 * (2 * np.pi / 20) ** 2, 400) / 2  # q and -q are one
    quarter = name == "simplex"
    z, wz = nodes(30, 0 if quarter else -1, 1)
    if quarter:
        a, wa = nodes(30, 0, np.pi / 2)
    else:
        a, wa = np.arange(50) * 2 * np.pi / 50, np.full(50, 2 * np.pi / 50)
    z, a = (g.ravel() for g in np.meshgrid(z, a, indexing="ij"))
    r = np.sqrt(1 - z**2)
    manifold = simplex(2) if quarter else sphere(2)
    return manifold, np.stack([r * np.cos(a), r * np.sin(a), z], 1), np.outer(wz, wa).ravel()


@pytest.mark.parametrize("name", ["sphere", "rotations", "simplex"])
def test_mass_is_one(name):
    """Of the uniform by the quadrature alone, then of a flow from it."""
    manifold, x, volume = grid_of(name)
    base = jax.vmap(lambda x: uniform_on(manifold).density.fn({}, KEY, x, None))(jnp.asarray(x))
    near((np.exp(base) * volume).sum(), 1, rtol=1e-12)
    p = np.exp(densities(flowed(manifold, bent(manifold), steps=8), x))
    assert p.max() > 1.5 * p.min()
    near((p * volume).sum(), 1, atol=1e-4)


@pytest.mark.parametrize(
    "manifold", [simplex(2), product(sphere(1), torus(1))], ids=["simplex", "mixed"]
)
def test_there_and_back_and_on_the_way(manifold):
    step = geodesic_flow(known(bent(manifold)), manifold, 16)

    @jax.jit
    @jax.vmap
    def ways(z):
        x, met = step.joint((), KEY, z)
        back, weight = step.inverse.fn((), KEY, x, None)
        return x, step.forward((), KEY, z), manifold.log(z, back), met, weight

    x, alone, off, met, weight = ways(draws(manifold, 5))
    near(alone, x, atol=1e-14)
    near(off, 0, atol=1e-6)
    near(weight, met, atol=1e-6)
    assert abs(met).min() > 1e-3


def test_what_is_off_the_manifold_has_no_density():
    model = flowed(simplex(2), bent(simplex(2)), 4)
    x = np.array([[0.6, 0.8, 0.0], [0.6, -0.8, 0.0], [0.6, 0.9, 0.1]])
    assert np.isfinite(densities(model, x)).tolist() == [True, False, False]
    base = jax.vmap(lambda x: uniform_on(simplex(2)).density.fn({}, KEY, x, None))(jnp.asarray(x))
    assert np.isfinite(base).tolist() == [True, False, False]
