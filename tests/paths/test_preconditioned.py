"""A network that reads and gives numbers of size one: what zero means, what it is for the papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import Normals

from probtransform import paths
from probtransform.core import Network

ZERO = Network(lambda key: (), lambda params, x, t, cond: jnp.zeros_like(x))
X = np.array([0.3, -1.2, 2.0])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("predicts", paths.VIEWS)
@pytest.mark.parametrize(
    "path", [paths.vp(), paths.edm(), paths.linear()], ids=["vp", "edm", "linear"]
)
def test_zero_is_what_is_known_of_normal_data(path, predicts):
    law = Normals(np.zeros(3), np.full(3, 0.6))
    network = paths.preconditioned(ZERO, path, predicts, 0.6)
    for t in (0.2, 0.5, 0.9):
        found = network.apply((), jnp.asarray(X), jnp.asarray(t), None)
        np.testing.assert_allclose(found, law.field(path, predicts)(X, jnp.asarray(t)), rtol=1e-10)


def test_it_is_the_design_of_edm():
    """`D = c_skip x + c_out F(c_in x)`, table 1 of Karras et al.; F is minus ours."""
    path, s = paths.edm(), 0.5
    bent = Network(lambda key: (), lambda params, x, t, cond: -jnp.tanh(x + t))
    network = paths.preconditioned(bent, path, "data", s)
    for t in (0.0, 0.3, 1.0):
        n = paths.at(path, t).sigma
        skip, out, into = s**2 / (n**2 + s**2), n * s / np.hypot(n, s), 1 / np.hypot(n, s)
        wanted = skip * X + out * np.tanh(into * X + t)
        np.testing.assert_allclose(network.apply((), X, jnp.asarray(t), None), wanted, rtol=1e-10)


def test_it_is_v_where_variance_is_kept():
    bent = Network(lambda key: (), lambda params, x, t, cond: jnp.tanh(x + t))
    network = paths.preconditioned(bent, paths.cosine(), "v")
    found = network.apply((), jnp.asarray(X), jnp.asarray(0.3), None)
    np.testing.assert_allclose(found, np.tanh(X + 0.3), rtol=1e-10)


def test_bad_numbers():
    with pytest.raises(ValueError, match="scale=0"):
        paths.preconditioned(ZERO, paths.vp(), "v", 0.0)
    with pytest.raises(ValueError, match="'speed'"):
        paths.preconditioned(ZERO, paths.vp(), "speed")
