"""Flow maps against the exact ones of normals and of a mixture."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE
from mixture_map import THREE

from probtransform import paths
from probtransform.core import Network, pushforward, sample_many
from probtransform.distributions import normal
from probtransform.integrate import grids, runge_kutta
from probtransform.paths.flow_map import jump
from probtransform.transforms import flow_map, renoised

KEY = jax.random.key(0)
INSIDE = paths.retimed(paths.vp(), lambda t: 0.05 + 0.9 * t)  # where no view is singular
WHERE = [(paths.linear(), "velocity"), (paths.trigonometric(), "v")]
WHERE += [(INSIDE, predicts) for predicts in paths.VIEWS]
ids = [f"{i}-{predicts}" for i, (_, predicts) in enumerate(WHERE)]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def spread(path, t):
    r = path.rates(t)
    return r.alpha * FIVE.mean, jnp.sqrt(r.alpha**2 * FIVE.scale**2 + r.sigma**2)


def exact(path, predicts) -> Network:
    """The prediction at s that jumps from s to t as the normals' quantiles do."""

    def apply(params, x, s, t, cond=None):
        (m, d), (m_t, d_t) = spread(path, s), spread(path, t)
        p, q = jump(path, predicts, s, t)
        return (m_t + d_t / d * (x - m) - p * x) / q

    return Network(lambda key: (), apply)


@pytest.mark.parametrize("path, predicts", WHERE, ids=ids)
def test_no_time_no_way(path, predicts):
    """X(x, s, s) = x, and X(x, s, 1) = x at s = 1, whatever the network."""
    any_network = Network(lambda key: (), lambda params, x, s, t, cond: 3 * jnp.tanh(x) + s - t)
    map_ = paths.as_flow_map(any_network, path, predicts)
    x = jax.random.normal(KEY, (5,))
    for s in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(map_.apply((), x, s, s, None), x, atol=1e-12)
        assert abs(map_.apply((), x, 0.3, 0.8, None) - x).max() > 0.1


@pytest.mark.parametrize("path, predicts", WHERE, ids=ids)
@pytest.mark.parametrize("calls", [1, 2, 4])
def test_few_calls_go_all_the_way(path, predicts, calls):
    """From the base to the quantiles of the data, in however many steps."""
    z = jax.random.normal(KEY, (5,))
    x = flow_map(exact(path, predicts), grids.uniform(calls), path, predicts).forward((), KEY, z)
    start = z * float(paths.at(path, 0.0).sigma)
    np.testing.assert_allclose(x, FIVE.carried(path, 0.0, start, 1.0), rtol=1e-10, atol=1e-10)


def test_on_the_linear_path_the_prediction_is_the_mean_velocity():
    network = Network(lambda key: (), lambda params, x, s, t, cond: cond * x + t)
    x = jax.random.normal(KEY, (5,))
    found = flow_map(network, [0.0, 0.25, 1.0]).forward((), KEY, x, 2.0)
    half = x + 0.25 * (2 * x + 0.25)
    np.testing.assert_allclose(found, half + 0.75 * (2 * half + 1.0), rtol=1e-12)


@pytest.mark.parametrize("path", [paths.linear(), paths.trigonometric(), INSIDE])
def test_maps_of_the_mixture_compose(path):
    """X(X(x, s, r), r, t) = X(x, s, t); and X is what its velocity's equation says."""
    predicts = "velocity"
    map_ = paths.as_flow_map(THREE.network(path, predicts), path, predicts)
    still = {"wrong": jnp.zeros(3)}
    x = jnp.linspace(-2.0, 2.0, 9)

    def jumps(x, s, t):
        return map_.apply(still, x, s, t, None)

    for s, r, t in ((0.0, 0.4, 1.0), (0.2, 0.5, 0.9)):
        np.testing.assert_allclose(jumps(jumps(x, s, r), r, t), jumps(x, s, t), atol=1e-10)
    solved = runge_kutta(lambda x, t: THREE.velocity(path, x, t), x, 0.2, 0.9, 400)
    np.testing.assert_allclose(jumps(x, 0.2, 0.9), solved, atol=1e-7)


def test_a_straight_prediction_knows_where_it_is():
    network = paths.straight(Network(lambda key: (), lambda params, x, t, cond: x * t + cond))
    np.testing.assert_array_equal(network.apply((), jnp.ones(2), 0.25, 0.75, 3.0), 3.25)


def test_noise_that_comes_back_is_that_of_the_path():
    """The exact map to the data, from any number of times, keeps mean and deviation of the data."""
    path = paths.trigonometric()
    for calls, times in ((1, [0.0, 1.0]), (3, [0.0, 0.6, 0.8, 1.0])):
        step = renoised(exact(path, "v"), times, path, "v")
        x = sample_many(pushforward(normal((5,)), x=step), {"x": ()}, KEY, 4000)
        np.testing.assert_allclose(x.mean(0), FIVE.mean, atol=4 * 2 / 4000**0.5)
        np.testing.assert_allclose(x.std(0), FIVE.scale, rtol=4 / 8000**0.5)
        z = jnp.ones(5)
        two = [step.forward((), jax.random.key(i), z) for i in range(2)]
        assert (calls == 1) == np.array_equal(*two)


def test_times_go_all_the_way():
    for make in (flow_map, renoised):
        with pytest.raises(ValueError, match=r"from 0\.1 to 1, wanted all the way"):
            make(exact(INSIDE, "data"), [0.1, 1.0])
        with pytest.raises(ValueError, match="times that increase"):
            make(exact(INSIDE, "data"), [0.0, 1.0, 0.5])
    with pytest.raises(ValueError, match="'speed', wanted one of noise"):
        flow_map(exact(INSIDE, "data"), [0.0, 1.0], INSIDE, "speed")
