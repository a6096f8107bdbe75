"""The probability flow of normals is an affine map, and so its density is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE
from scipy.stats import norm

from probtransform import paths
from probtransform.core import Network, pushforward
from probtransform.distributions import normal
from probtransform.integrate import adaptive, heun
from probtransform.integrate import run as run_table
from probtransform.integrate.grids import uniform
from probtransform.transforms import probability_flow, sampler

PATHS = {
    "vp": paths.retimed(paths.vp(), lambda t: 1 - (1 - 0.98 * t) ** 2),
    "ve": paths.ve(0.01, 20.0),
    "sub_vp": paths.sub_vp(),
    "edm": paths.edm(),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def network(path, predicts):
    field = FIVE.field(path, predicts)
    return Network(lambda key: (), lambda params, x, t, cond: field(x, t))


@pytest.mark.parametrize("predicts", ["noise", "data"])
@pytest.mark.parametrize("name", PATHS)
def test_density_and_samples_are_those_of_the_map(name, predicts):
    """Within 1e-6 nats; from a base that is not the path's own x(0) but `sigma(0) z`."""
    if (name, predicts) == ("sub_vp", "data"):
        pytest.skip("at t = 1 the data does not tell the velocity")
    path = PATHS[name]
    step = probability_flow(network(path, predicts), path, predicts, solve=adaptive(1e-10, 1e-10))
    model = pushforward(normal((5,)), field=step)
    start = paths.at(path, 0.0).sigma
    centre = FIVE.carried(path, 0.0, np.zeros(5), 1.0)
    spread = FIVE.carried(path, 0.0, np.full(5, start), 1.0) - centre
    z = np.array([0.3, -1.0, 0.6, 1.4, -0.2])
    x = centre + spread * z
    wanted = norm.logpdf(x, centre, spread).sum()
    key, params = jax.random.key(0), {"field": ()}
    found = model.density.fn(params, key, jnp.asarray(x), None)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    np.testing.assert_allclose(step.forward((), key, jnp.asarray(z)), x, rtol=0, atol=1e-7)
    there, weight = step.joint((), key, jnp.asarray(z))
    back, again = step.inverse.fn((), key, there)
    np.testing.assert_allclose(back, z, rtol=0, atol=1e-7)
    np.testing.assert_allclose(weight, again, rtol=0, atol=1e-6)


def test_a_sampler_takes_the_same_block():
    path, z = PATHS["edm"], jnp.array([0.3, -1.0, 0.6, 1.4, -0.2])
    table = heun(path, uniform(60), "data", clock=path.sigma)
    field = network(path, "data")
    flow = probability_flow(field, path, "data", 60)
    few = sampler(field, table).forward((), jax.random.key(0), z)
    np.testing.assert_allclose(few, flow.forward((), None, z), rtol=0, atol=0.01)
    np.testing.assert_allclose(few, run_table(table, FIVE.field(path, "data"), z), rtol=1e-12)


def test_where_the_velocity_is_not_known():
    with pytest.raises(ValueError, match="do not tell the velocity"):
        probability_flow(network(paths.vp(), "noise"), paths.vp(), "noise")
