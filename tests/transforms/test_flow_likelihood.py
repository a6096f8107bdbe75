"""The likelihood of a probability flow against the mixture it was made from, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform import paths
from probtransform.core import Network, pushforward
from probtransform.distributions import normal
from probtransform.integrate import adaptive
from probtransform.transforms import flow, hutchinson

MEANS = np.array([[-1.0, 0.5], [1.2, 0.0], [0.3, -1.5]])
SCALES, SHARES = np.array([0.4, 0.6, 0.5]), np.array([0.5, 0.2, 0.3])
X = np.array([[-1.0, 0.3], [0.2, -0.4], [1.5, 0.8], [0.0, -2.2], [3.0, 3.0]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def log_density(x, alpha=1.0, sigma=0.0):
    """`log p_t(x)` of the mixture, and its parts."""
    v = alpha**2 * SCALES**2 + sigma**2
    parts = -0.5 * ((x - alpha * MEANS) ** 2).sum(-1) / v - jnp.log(2 * jnp.pi * v)
    return jax.nn.logsumexp(parts + jnp.log(SHARES))


def exact(path, predicts):
    """The network that would have learned everything."""

    def apply(params, x, t, cond=None):
        r = path.rates(t)
        v = r.alpha**2 * SCALES**2 + r.sigma**2
        parts = -0.5 * ((x - r.alpha * MEANS) ** 2).sum(-1) / v - jnp.log(v) + jnp.log(SHARES)
        away = (x - r.alpha * MEANS) / v[:, None]
        share = jax.nn.softmax(parts)
        noise = share @ (r.sigma * away)
        data = share @ (MEANS + r.alpha * SCALES[:, None] ** 2 * away)
        a, b = paths.views.row(predicts, r)
        return a * data + b * noise

    return Network(lambda key: (), apply)


@pytest.mark.parametrize("predicts", ["v", "velocity"])
@pytest.mark.parametrize(
    "path",
    [
        paths.linear(),
        paths.trigonometric(),
        paths.retimed(paths.linear(), lambda t: paths.shift(t, 3.0)),
    ],
    ids=["linear", "trigonometric", "shifted"],
)
def test_it_is_exact_to_the_tolerance_of_the_solver(path, predicts):
    """From the pure base to the data: within 1e-6 nats."""
    velocity = paths.as_view(exact(path, predicts), path, predicts, "velocity")
    model = pushforward(normal((2,)), f=flow(velocity, solve=adaptive(1e-9, 1e-9)))
    density = jax.jit(lambda x: model.density.fn({"f": ()}, jax.random.key(0), x, None))
    for x in X:
        np.testing.assert_allclose(density(jnp.asarray(x)), log_density(x), rtol=0, atol=1e-6)


def test_an_estimated_trace_is_right_on_average():
    path = paths.linear()
    network = exact(path, "velocity")
    model = pushforward(
        normal((2,)), f=flow(network, trace=hutchinson(), solve=adaptive(1e-6, 1e-6))
    )
    keys = jax.random.split(jax.random.key(0), 400)
    x = jnp.asarray(X[1])
    found = np.asarray(jax.vmap(lambda k: model.density.fn({"f": ()}, k, x, None))(keys))
    error = found.std(ddof=1) / 20
    assert error > 1e-3 and abs(found.mean() - log_density(x)) < 3 * error


@pytest.mark.parametrize(
    "adjoint",
    ["checkpointed", *(pytest.param(a, marks=pytest.mark.slow) for a in ("direct", "backsolve"))],
)
def test_gradients_are_finite_differences(adjoint):
    """Of log p in a parameter that bends the field."""
    field = exact(paths.linear(), "velocity")

    def bent(params, x, t, cond=None):
        return field.apply((), x, t) + params * jnp.tanh(x[::-1])

    solve = adaptive(1e-10, 1e-10, adjoint)
    step = flow(Network(lambda key: 0.0, bent), solve=solve)
    model, x = pushforward(normal((2,)), f=step), jnp.asarray(X[0])

    def log_p(params):
        return model.density.fn({"f": params}, jax.random.key(0), x, None)

    h = 1e-4
    slope = (log_p(0.2 + h) - log_p(0.2 - h)) / (2 * h)
    np.testing.assert_allclose(jax.grad(log_p)(jnp.asarray(0.2)), slope, rtol=0, atol=1e-6)
