"""The density of a few steps against finite differences, closed forms and the limit of many."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE, Normals
from scipy.stats import norm

from probtransform import integrate, paths
from probtransform.core import Network, pushforward
from probtransform.distributions import normal
from probtransform.integrate import adaptive, grids
from probtransform.transforms import exact_sampler, probability_flow

KEY = jax.random.key(0)
PATH = paths.linear()
TABLES = {
    "euler": integrate.euler,
    "ddim": integrate.ddim,
    "dpm_solver_pp3": partial(integrate.dpm_solver_pp, order=3),
    "deis2": partial(integrate.deis, order=2),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def bent() -> Network:
    """The field of normals, and something that is not linear."""
    field = FIVE.field(PATH, "data")

    def apply(params, x, t, cond):
        return field(x, t) + 0.3 * jnp.sin(x[::-1] + t)

    return Network(lambda key: (), apply)


Z = np.array([0.3, -1.0, 0.6, 1.4, -0.2])


@pytest.mark.parametrize("name", TABLES)
def test_it_is_the_volume_of_the_run_and_its_way_back(name):
    table = TABLES[name](PATH, grids.power(6, 1.5) * 0.98 + 0.01, "data")
    step = exact_sampler(bent(), table)
    x, weight = step.joint((), None, jnp.asarray(Z))
    h = 1e-5
    columns = [
        (step.forward((), None, Z + h * e) - step.forward((), None, Z - h * e)) / (2 * h)
        for e in np.eye(5)
    ]
    np.testing.assert_allclose(x, step.forward((), None, jnp.asarray(Z)), rtol=1e-12)
    np.testing.assert_allclose(weight, -np.linalg.slogdet(np.array(columns))[1], rtol=0, atol=1e-7)
    z, back = jax.jit(step.inverse.fn)((), None, x)
    np.testing.assert_allclose(z, Z, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back, weight, rtol=0, atol=1e-9)


def test_on_normals_it_is_a_normal_of_another_scale():
    """Euler on an affine field: `x' = x + h (a + b x)`, scale by scale; not what the equation says."""
    law, times = Normals(np.array([0.7]), np.array([0.4])), np.linspace(0, 1, 5)
    field = law.field(PATH, "velocity")
    centre, spread = 0.0, 1.0
    for t in times[:-1]:
        a = float(field(np.zeros(1), jnp.asarray(t))[0])
        b = float(field(np.ones(1), jnp.asarray(t))[0]) - a
        centre, spread = centre + 0.25 * (a + b * centre), spread * (1 + 0.25 * b)
    network = Network(lambda key: (), lambda params, x, t, cond: field(x, t))
    model = pushforward(
        normal((1,)), field=exact_sampler(network, integrate.euler(PATH, times, "velocity"))
    )
    for x in (0.2, 0.7, 1.5):
        found = model.density.fn({"field": ()}, KEY, jnp.array([x]), None)
        np.testing.assert_allclose(found, norm.logpdf(x, centre, spread), rtol=0, atol=1e-10)
    assert abs(spread - 0.4) > 0.01


def test_with_many_steps_it_is_the_likelihood_of_the_flow():
    """At the order of the sampler."""
    path = paths.retimed(PATH, lambda t: 0.98 * t + 0.01)
    network = bent()
    flow = probability_flow(network, path, "data", solve=adaptive(1e-10, 1e-10))
    x = jnp.asarray(FIVE.mean + 0.3)
    wanted = pushforward(normal((5,)), field=flow).density.fn({"field": ()}, KEY, x, None)
    errors = []
    for n in (80, 160, 320):
        step = exact_sampler(network, integrate.ddim(path, grids.power(n, 1.5), "data"))
        model = pushforward(normal((5,)), field=step)
        errors.append(float(jax.jit(model.density.fn)({"field": ()}, KEY, x, None) - wanted))
    slopes = np.diff(np.log2(np.abs(errors)))
    assert abs(errors[0]) > 1e-3 and (np.abs(slopes + 1) < 0.15).all(), errors


def test_gradients_pass_through_the_way_back():
    table = integrate.ddim(PATH, grids.uniform(4) * 0.9 + 0.05, "data")
    field = bent()
    network = Network(
        lambda key: 0.0, lambda p, x, t, c: field.apply((), x, t, c) + p * jnp.tanh(x)
    )
    model = pushforward(normal((5,)), field=exact_sampler(network, table))
    x, h = jnp.asarray(FIVE.mean + 0.3), 1e-5

    def log_p(p):
        return model.density.fn({"field": p}, KEY, x, None)

    slope = (log_p(0.2 + h) - log_p(0.2 - h)) / (2 * h)
    np.testing.assert_allclose(jax.grad(log_p)(jnp.asarray(0.2)), slope, rtol=0, atol=1e-6)


def test_no_way_back_is_said():
    """`x' = tanh x` does not reach 9: Newton's steps run away; nor `x^2 + 1` a half: they wander."""
    for end, far in ((jnp.tanh, 9.0), (lambda x: x**2 + 1, 0.5)):
        folded = Network(lambda key: (), lambda params, x, t, cond, end=end: end(x) - x)
        step = exact_sampler(folded, integrate.euler(PATH, grids.uniform(1), "velocity"))
        z, weight = step.inverse.fn((), None, jnp.array([far]))
        assert np.isnan(z).all() and np.isnan(weight)
    for table in (
        integrate.heun(PATH, grids.uniform(2), "velocity"),
        integrate.ancestral(PATH, grids.uniform(2), "data"),
    ):
        with pytest.raises(ValueError, match="one call a step and no noise"):
            exact_sampler(folded, table)
