"""Tilts whose law is known: a quadratic energy on a normal is a narrower normal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Network, pushforward, sample_many
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate.langevin import mala
from probtransform.transforms import affine, implicit

KEY = jax.random.key(0)
QUADRATIC = Network(lambda key: jnp.asarray(3.0), lambda a, x, cond: a * jnp.sum(x**2) / 2)


def test_a_quadratic_energy_narrows_a_normal():
    law = tilted(normal((2,)), QUADRATIC, mala(0.1), 200)
    params = law.init(KEY)
    x = np.asarray(sample_many(law, params, KEY, 4000))
    assert (abs(x.mean(0)) < 5 * 0.5 / np.sqrt(4000)).all()
    assert (abs(x.var(0) - 0.25) < 5 * 0.25 * np.sqrt(2 / 4000)).all()
    points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    nats = jax.vmap(law.density.fn, (None, None, 0))(params, KEY, points)
    wanted = -2 * (points**2).sum(1)
    np.testing.assert_allclose(nats - nats[0], wanted - wanted[0], rtol=1e-5, atol=1e-5)


def test_a_flow_is_tilted_where_it_lies():
    """N(1, 4) under `exp(-x^2/2)`: precision 5/4, mean (1/4) / (5/4)."""
    base = pushforward(normal((1,)), affine=affine(1))
    law = tilted(base, QUADRATIC, mala(0.2), 200)
    params = law.init(KEY) | {"energy": jnp.asarray(1.0)}
    params["affine"] |= {"mean": jnp.ones(1), "log_diagonal": jnp.log(jnp.full(1, 2.0))}
    x = np.asarray(sample_many(law, params, KEY, 4000))
    assert abs(x.mean() - 0.2) < 5 * np.sqrt(0.8 / 4000)
    assert abs(x.var() - 0.8) < 5 * 0.8 * np.sqrt(2 / 4000)


def test_wrong_parts_are_refused():
    vector = Network(lambda key: (), lambda params, x, cond: x)
    law = tilted(normal((2,)), vector, mala(0.1), 5)
    with pytest.raises(ValueError, match="wanted a scalar"):
        law.density.fn(law.init(KEY), KEY, jnp.zeros(2))
    implied = pushforward(normal((2,)), generator=implicit(vector))
    with pytest.raises(ValueError, match="wanted Exact"):
        tilted(implied, QUADRATIC, mala(0.1), 5)
    with pytest.raises(ValueError, match="rename"):
        tilted(pushforward(normal((1,)), energy=affine(1)), QUADRATIC, mala(0.1), 5).init(KEY)
