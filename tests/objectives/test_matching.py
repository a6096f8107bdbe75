"""Matching against what is known of normals: the least error, weights, couplings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE
from scipy.stats import norm

from probtransform import paths
from probtransform.core import Batch, Network
from probtransform.objectives import coupling, matching, times, weights
from probtransform.paths.views import row

KEY = jax.random.key(0)
INSIDE = paths.retimed(paths.vp(), lambda t: 0.05 + 0.9 * t)  # where no view is singular


def exact(path, predicts: str) -> Network:
    field = FIVE.field(path, predicts)
    return Network(lambda key: (), lambda params, x, t, cond: field(x, t))


def data(n: int, seed: int = 0) -> Batch:
    z = np.random.default_rng(seed).standard_normal((n, 5))
    return Batch(jnp.asarray(FIVE.mean + FIVE.scale * z, jnp.float32))


@pytest.mark.parametrize("predicts", paths.VIEWS)
def test_the_least_error_is_what_x_t_leaves_unknown(predicts):
    """`Var(a x + b z | x_t) = s^2 (a sigma - b alpha)^2 / (alpha^2 s^2 + sigma^2)`, at uniform times."""
    t = (np.arange(4000) + 0.5) / 4000
    r = paths.at(INSIDE, t)
    a, b = (0 * t, -1 / r.sigma) if predicts == "score" else row(predicts, r)
    unknown = (a * r.sigma - b * r.alpha)[:, None] ** 2 * FIVE.scale**2
    unknown /= r.alpha[:, None] ** 2 * FIVE.scale**2 + r.sigma[:, None] ** 2
    loss = jax.jit(matching(exact(INSIDE, predicts), "net", INSIDE, predicts))
    keys = jax.random.split(KEY, 20)
    found = np.array([loss({"net": ()}, (), k, data(2000, i))[0] for i, k in enumerate(keys)])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - unknown.mean()) < 4 * error + 1e-4 * unknown.mean()
    assert error < 0.05 * unknown.mean()


def test_a_weight_means_the_same_for_every_view():
    wrong = Network(lambda key: (), lambda params, x, t, cond: 0.3 * jnp.tanh(x) + t)
    losses = []
    for predicts in paths.VIEWS:
        network = paths.as_view(wrong, INSIDE, "noise", predicts)
        loss = matching(network, "net", INSIDE, predicts, weights.min_snr())
        losses.append(loss({"net": ()}, (), KEY, data(64))[0])
    np.testing.assert_allclose(losses, losses[0], rtol=2e-4)


def test_weights_are_those_of_the_papers():
    r = paths.at(paths.vp(), np.linspace(0.05, 0.95, 9))
    snr, n = (r.alpha / r.sigma) ** 2, r.sigma / r.alpha
    of_data = paths.view(r, "data", "noise")[1] ** 2  # noise error for each data error
    np.testing.assert_allclose(weights.min_snr(5.0)(r) * of_data, np.minimum(snr, 5), rtol=1e-5)
    edm = (n**2 + 0.25) / (0.5 * n) ** 2
    np.testing.assert_allclose(weights.karras(0.5)(r) * of_data, edm, rtol=1e-5)


def test_the_weight_of_the_likelihood_integrates_to_information():
    """`integral 1/2 dlogSNR/dt Var(z | x_t) dt = 1/2 log((1 + SNR_1 s^2) / (1 + SNR_0 s^2))`."""
    t, mass = np.polynomial.legendre.leggauss(200)
    r = paths.at(INSIDE, (t + 1) / 2)
    snr = (r.alpha / r.sigma) ** 2
    ends = paths.at(INSIDE, [0.0, 1.0])
    first, last = (ends.alpha / ends.sigma) ** 2
    for s in FIVE.scale:
        left = snr * s**2 / (1 + snr * s**2)
        total = (weights.likelihood(r) * left) @ mass / 2
        wanted = np.log((1 + last * s**2) / (1 + first * s**2)) / 2
        np.testing.assert_allclose(total, wanted, rtol=1e-9)


def test_a_coupling_gives_each_example_its_draw():
    """With the optimal one in one dimension, sorted draws meet sorted data."""
    x = data(64).x[:, :1]
    still = Network(lambda key: (), lambda params, x, t, cond: jnp.zeros_like(x))
    seen = []

    def spy(key, z, x, cond):
        i = coupling.optimal()(key, z, x, cond)
        seen.append(jnp.sort(z[:, 0]))
        return i

    loss = matching(still, "net", paths.linear(), coupling=spy)
    found = loss({"net": ()}, (), KEY, Batch(x))[0]
    np.testing.assert_allclose(found, jnp.mean((jnp.sort(x[:, 0]) - seen[0]) ** 2), rtol=1e-5)
    apart = matching(still, "net", paths.linear())({"net": ()}, (), KEY, Batch(x))[0]
    assert found < 0.9 * apart


def test_times_are_drawn_as_told():
    """Quantiles of `log(sigma / alpha)`, by their definition; logit-normal on the linear path."""
    u = np.array([0.01, 0.1, 0.5, 0.8, 0.99])
    for path in (paths.edm(), paths.linear()):
        t = times.log_normal(path, -1.2, 1.2)((), u)
        r = paths.at(path, np.asarray(t, np.float64))
        ratio = r.sigma / r.alpha
        np.testing.assert_allclose(np.log(ratio), norm.ppf(1 - u, -1.2, 1.2), rtol=0, atol=5e-3)
    logit = times.log_normal(paths.linear(), 0.0, 1.0)((), u)
    np.testing.assert_allclose(logit, 1 / (1 + np.exp(-norm.ppf(u))), rtol=0, atol=1e-4)


LOUDER = paths.Path(lambda t: 0.2 + 0.8 * t, jnp.ones_like)  # here alpha alone moves


@pytest.mark.parametrize("path", [INSIDE, LOUDER], ids=["vp", "louder"])
def test_the_bound_does_not_depend_on_the_times(path):
    """`likelihood` integrates over the path at any pace; the second moment of its estimate differs."""
    field = FIVE.field(path, "noise")
    poor = Network(lambda key: (), lambda params, x, t, cond: 0.7 * field(x, t))
    found = {}
    for name, draws in {"even": None, "early": lambda params, u: u ** params["pace"]}.items():
        for power in (1, 2):
            loss = matching(poor, "net", path, "noise", weights.likelihood, None, draws, power)
            each = jax.jit(jax.vmap(lambda k: loss({"net": (), "pace": 2.0}, (), k, data(2000))[0]))
            values = np.asarray(each(jax.random.split(KEY, 20)))
            found[name, power] = values.mean(), values.std(ddof=1) / np.sqrt(20)
    (even, e0), (early, e1) = found["even", 1], found["early", 1]
    assert abs(even - early) < 4 * np.hypot(e0, e1) and np.hypot(e0, e1) < 0.02 * even
    (even, e0), (early, e1) = found["even", 2], found["early", 2]
    assert abs(even - early) > 10 * np.hypot(e0, e1)


def test_one_example_alone_is_squared_by_power():
    one = data(1)
    first, second = (
        matching(exact(INSIDE, "v"), "net", INSIDE, "v", power=p)({"net": ()}, (), KEY, one)[0]
        for p in (1, 2)
    )
    np.testing.assert_allclose(second, first**2, rtol=1e-6)


def test_bad_numbers():
    with pytest.raises(ValueError, match="'speed', wanted one of noise"):
        matching(exact(INSIDE, "noise"), "net", INSIDE, "speed")
    with pytest.raises(ValueError, match="most=0"):
        weights.min_snr(0)
    with pytest.raises(ValueError, match="deviation=0"):
        times.log_normal(INSIDE, 0.0, 0.0)
    with pytest.raises(ValueError, match="scale=-1"):
        weights.karras(-1)
