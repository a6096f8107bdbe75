"""The families of symbols where their law is known in closed form: before training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import logistic

from probtransform.core import Batch, Event, initial, log_density, sample_many
from probtransform.families import registry

KEY = jax.random.key(0)
FAMILIES = ("discrete_diffusion", "discrete_flow")


@pytest.mark.parametrize("name", FAMILIES)
def test_reals_are_logistic_at_first(name):
    """Cells alike, stretched over the line, are a logistic; `prepare` finds its mean and slopes."""
    model = registry[name].build(Event((2, 1)), width=8, depth=1, solver_steps=4)
    data = jnp.array([3.0, -1.0]) + jax.random.normal(KEY, (500, 2)) * jnp.array([2.0, 0.5])
    batch = Batch(data[:, :, None])
    params = model.prepare(initial(model, KEY), KEY, batch)
    mean, deviation = np.asarray(data.mean(0)), np.asarray(data.std(0))
    drawn = np.asarray(sample_many(model.distribution, params, KEY, 4000))[..., 0]
    error = drawn.std(0) / np.sqrt(4000)
    assert (abs(drawn.mean(0) - mean) < 5 * error).all()
    scale = drawn.std(0) * np.sqrt(3) / np.pi
    assert (
        abs(scale / deviation - 1) < 0.1
    ).all()  # which is that of a logistic of scale one, stretched
    x = jnp.array([[2.0], [-0.7]])
    nats = [log_density(model.distribution, params, jax.random.key(i), x) for i in range(3)]
    lower = np.linalg.cholesky(np.cov(np.asarray(data).T, bias=True))
    unit = np.linalg.solve(lower, np.asarray(x)[:, 0] - mean)
    wanted = logistic.logpdf(unit).sum() - np.log(np.diag(lower)).sum()
    np.testing.assert_allclose(nats, wanted, atol=0.05)


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_symbols_are_uniform_at_first(name, mask):
    event = Event((2, 2, 1), levels=5)
    model = registry[name].build(event, width=8, depth=1, solver_steps=4, mask=mask)
    params = initial(model, KEY)
    x = jnp.array([[0, 4], [2, 1]], jnp.uint8)[..., None]
    keys = jax.random.split(KEY, 2000)
    nats = jax.jit(jax.vmap(lambda k: log_density(model.distribution, params, k, x)))(keys)
    weights = np.exp(np.asarray(nats, np.float64)) * 5**4
    error = weights.std() / np.sqrt(2000)
    if (name, mask) == ("discrete_flow", False):  # what its chain mends is not seen by the way back
        assert 0.05 < weights.mean() < 1 + 4 * error
    else:
        assert abs(weights.mean() - 1) < 4 * error + 1e-4
    drawn = np.asarray(sample_many(model.distribution, params, KEY, 4000)).reshape(4000, -1)
    share = np.stack([(drawn == level).mean(0) for level in range(5)])
    assert drawn.max() == 4 and (abs(share - 0.2) < 5 * np.sqrt(0.16 / 4000)).all()
