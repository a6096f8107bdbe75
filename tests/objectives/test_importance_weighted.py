"""The bound of several draws on linear-Gaussian autoencoders, of which everything is known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm
from linear_gaussian import C, factor_analysis, marginal
from scipy.stats import chi2, multivariate_normal

from probtransform.core import Batch, Distribution, Network, Unnormalized, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.objectives import importance_weighted, likelihood, pathwise
from probtransform.objectives.importance_weighted import path_bound
from probtransform.transforms import decoder, implicit

KEY = jax.random.key(0)
X = marginal().rvs(32, random_state=0)


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def mean_and_error(distribution, params, samples, keys):
    loss = jax.jit(importance_weighted(distribution, samples))
    found = [float(-loss(params, (), k, Batch(jnp.asarray(X)))[0]) for k in keys]
    return np.mean(found), np.std(found, ddof=1) / math.sqrt(len(found))


@pytest.mark.parametrize("samples", [1, 7])
def test_with_the_exact_posterior_one_draw_or_many_give_the_marginal(double, samples):
    distribution, params = factor_analysis(spread=1.0)
    wide = jax.tree.map(jnp.float64, params)  # which it rounds to single precision
    loss = jax.jit(importance_weighted(distribution, samples))
    nats, (_, metrics) = loss(wide, (), KEY, Batch(jnp.asarray(X)))
    np.testing.assert_allclose(-nats, marginal().logpdf(X).mean(), atol=1e-5)
    np.testing.assert_allclose(metrics["ess"], 1.0, atol=1e-5)


def short_of_the_marginal(k, s):
    """`log p(x) - L_k` by quadrature, where q is the posterior with its spread times s.

    A weight is `w = p(x) s^C exp(-(s^2 - 1) r / 2)`, r chi-squared of C degrees; and of their sum S
    `E log S = int (exp(-t) - E[exp(-t w)]^k) dt / t`, smooth in log t.
    """
    r = np.linspace(-25, 6, 4001)  # of log r
    mass = chi2.pdf(np.exp(r), C) * np.exp(r)
    w = s**C * np.exp(-(s**2 - 1) / 2 * np.exp(r))
    t = np.exp(np.linspace(-40, 200, 8001))
    apart = [np.exp(-u) - np.trapezoid(mass * np.exp(-u * w), r) ** k for u in t]
    return math.log(k) - np.trapezoid(apart, np.log(t))


def test_bounds_rise_with_draws_to_the_marginal_from_below():
    """`L_1 < L_5 < L_50 < exact`, each known: by quadrature, and of one draw in closed form too."""
    s = 1.5
    distribution, params = factor_analysis(spread=s)
    truth = marginal().logpdf(X).mean()
    keys = jax.random.split(KEY, 1000)
    gaps = [short_of_the_marginal(k, s) for k in (1, 5, 50)]
    np.testing.assert_allclose(gaps[0], C * (s**2 / 2 - 0.5 - math.log(s)), atol=1e-7)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    for k, gap in zip((1, 5, 50), gaps, strict=True):
        found, error = mean_and_error(distribution, params, k, keys)
        assert abs(truth - gap - found) < 4 * error < gap


def test_it_is_the_logarithm_of_the_mean_of_weights():
    distribution, params = factor_analysis(spread=1.5)
    x, k = jnp.asarray(X[:1], jnp.float32), 6
    keys = jax.random.split(jax.random.split(KEY, 1)[0], k)
    fn = jax.jit(distribution.density.fn)
    log_w = np.float64([fn(params, key, x[0], None) for key in keys])
    wanted = np.log(np.exp(log_w).sum()) - np.log(k)
    value, (_, metrics) = jax.jit(importance_weighted(distribution, k))(params, (), KEY, Batch(x))
    np.testing.assert_allclose(-value, wanted, rtol=1e-5)
    share = np.exp(log_w) / np.exp(log_w).sum()
    np.testing.assert_allclose(metrics["ess"], 1 / (share**2).sum() / k, rtol=1e-5)
    one, many = (
        jax.jit(importance_weighted(distribution, n))(params, (), KEY, Batch(x))[0]
        for n in (1, 100)
    )
    assert abs(one - many) > 1e-3


def test_the_variance_falls_as_one_over_the_draws():
    distribution, params = factor_analysis(spread=1.5)
    x = Batch(jnp.asarray(X[:1], jnp.float32))

    def variance(k):
        loss = importance_weighted(distribution, k)
        draws = jax.jit(jax.vmap(lambda key: loss(params, (), key, x)[0]))
        return float(jnp.var(draws(jax.random.split(KEY, 4000))))

    assert variance(50) / variance(200) == pytest.approx(4, rel=0.2)


def test_one_draw_is_the_likelihood_and_exact_claims_do_not_move():
    law = normal((3,))
    batch = Batch(jnp.asarray(X, jnp.float32))
    exact = -multivariate_normal(np.zeros(3)).logpdf(X).mean()
    for loss in (likelihood(law), importance_weighted(law, 1), importance_weighted(law, 9)):
        np.testing.assert_allclose(jax.jit(loss)({}, (), KEY, batch)[0], exact, rtol=1e-5)


# --- gradients along the path ---------------------------------------------------------------------


def line(theta=0.8, slope=0.5, log_scale=-0.3):
    """`z ~ N(0, 1)`, `x ~ N(theta z, 0.5^2)`, `q = N(slope x, exp(2 log_scale))`: `(step, params)`."""

    def decode(params, z, cond):
        return jnp.stack([params["theta"] * z[0], jnp.log(jnp.asarray(0.5, z.dtype))])

    def encode(params, x, cond):
        return jnp.stack([params["slope"] * x[0], params["log_scale"]])

    fixed = lambda key: {}  # noqa: E731
    step = decoder(Network(fixed, decode), Network(fixed, encode), gaussian((1,)))
    encoder = {"slope": jnp.asarray(slope), "log_scale": jnp.asarray(log_scale)}
    return step, {"decoder": {"decoder": {"theta": jnp.asarray(theta)}, "encoder": encoder}}


def by_quadrature(params, x, draws, nodes=60):
    """`E log 1/k sum_i p(x, z_i) / q(z_i|x)` over all pairs of nodes, and the pairs with their weights."""
    point, weight = np.polynomial.hermite_e.hermegauss(nodes)
    noise = np.stack(np.meshgrid(*[point] * draws, indexing="ij"), -1).reshape(-1, draws)
    weight = np.prod(
        np.stack(np.meshgrid(*[weight] * draws, indexing="ij"), -1).reshape(-1, draws), 1
    )
    weight = weight / weight.sum()
    theta = params["decoder"]["decoder"]["theta"]
    slope, log_scale = (params["decoder"]["encoder"][n] for n in ("slope", "log_scale"))
    z = slope * x + jnp.exp(log_scale) * noise
    log_w = norm.logpdf(z) + norm.logpdf(x, theta * z, 0.5)
    log_w = log_w - norm.logpdf(z, slope * x, jnp.exp(log_scale))
    value = weight @ (jax.nn.logsumexp(log_w, -1) - math.log(draws))
    return value, (jnp.asarray(noise)[..., None], jnp.asarray(weight))


def path_gradient(step, params, x, noise, weight, squared):
    bound = path_bound(normal((1,)), step, squared, "decoder")

    def one(params, noise):
        return bound(params, KEY, noise[None], Batch(jnp.full((1, 1), x)))[1]

    values, grads = jax.jit(jax.vmap(jax.value_and_grad(one), (None, 0)))(params, noise)
    return weight @ values, jax.tree.map(lambda g: weight @ g, grads)


@pytest.mark.parametrize("draws, squared", [(1, False), (1, True), (2, True)])
def test_the_mean_of_path_gradients_is_the_gradient_of_the_bound(double, draws, squared):
    """By quadrature over the noise: what is dropped is zero on average."""
    (step, params), x = line(), 0.9
    value, (noise, weight) = by_quadrature(params, x, draws)
    wanted = jax.jit(jax.grad(lambda p: by_quadrature(p, x, draws)[0]))(params)
    found, grads = path_gradient(step, params, x, noise, weight, squared)
    np.testing.assert_allclose(found, value, rtol=1e-10)
    for got, true in zip(*map(jax.tree.leaves, (grads, wanted)), strict=True):
        assert abs(true) > 1e-2
        np.testing.assert_allclose(got, true, rtol=1e-6)


def test_shares_that_are_not_squared_are_biased_for_two_draws(double):
    (step, params), x = line(), 0.9
    wanted = jax.jit(jax.grad(lambda p: by_quadrature(p, x, 2)[0]))(params)
    _, (noise, weight) = by_quadrature(params, x, 2)
    _, grads = path_gradient(step, params, x, noise, weight, squared=False)
    away = [
        grads["decoder"]["encoder"][n] - wanted["decoder"]["encoder"][n]
        for n in ("slope", "log_scale")
    ]
    assert np.abs(away).max() > 0.01
    np.testing.assert_allclose(
        grads["decoder"]["decoder"]["theta"], wanted["decoder"]["decoder"]["theta"], rtol=1e-6
    )


def test_at_the_exact_posterior_an_encoder_feels_no_noise(double):
    """`log w` does not depend on z there, whichever was drawn: the landing sticks."""
    theta, noise = 0.8, 0.5
    precision = 1 + theta**2 / noise**2
    step, params = line(theta, theta / noise**2 / precision, -0.5 * math.log(precision))
    x = Batch(jnp.linspace(-2, 2, 5)[:, None])
    for samples, squared in ((1, False), (5, False), (5, True)):
        loss = pathwise(normal((1,)), step, samples, squared)
        grads = jax.jit(jax.grad(lambda p, loss=loss: loss(p, (), KEY, x)[0]))(params)["decoder"]
        assert all(abs(g) < 1e-12 for g in jax.tree.leaves(grads["encoder"]))
        assert abs(grads["decoder"]["theta"]) > 1e-2
    plain = importance_weighted(pushforward(normal((1,)), decoder=step), 5)
    grads = jax.jit(jax.grad(lambda p: plain(p, (), KEY, x)[0]))(params)["decoder"]["encoder"]
    assert max(abs(g) for g in jax.tree.leaves(grads)) > 1e-2


def test_both_losses_agree_in_mean_and_the_path_has_the_clearer_signal():
    """Gradients of encoder and decoder over many keys: one mean, and less noise for the encoder."""
    step, params = line(slope=0.1, log_scale=0.4)
    batch, k = Batch(jnp.asarray(X[:8, :1], jnp.float32)), 5
    losses = (
        importance_weighted(pushforward(normal((1,)), decoder=step), k),
        pathwise(normal((1,)), step, k),
    )
    keys = jax.random.split(KEY, 4000)
    seen = []
    for loss in losses:
        grads = jax.jit(
            jax.vmap(jax.grad(lambda p, key, f=loss: f(p, (), key, batch)[0]), (None, 0))
        )
        leaves = jax.tree.leaves(grads(params, keys)["decoder"])
        seen.append(np.stack([np.asarray(leaf) for leaf in leaves]))
    (plain, path), n = seen, math.sqrt(len(keys))
    error = np.hypot(plain.std(1), path.std(1)) / n
    assert (abs(plain.mean(1) - path.mean(1)) < 5 * error).all()
    assert (error < abs(path.mean(1)) / 5).all()
    assert (path[1:].std(1) < 0.7 * plain[1:].std(1)).all()  # leaves: theta, log_scale, slope


def test_encoder_is_run_once_an_example():
    """Whatever the number of draws; and each decoder pass is one product for all of them."""
    calls = []
    step, params = line()
    way = step.inverse

    def posterior(params, x, cond=None):
        calls.append(x)
        return way.posterior(params, x, cond)

    watched = step._replace(inverse=type(way)(way.fn, posterior, way.log_likelihood))
    loss = pathwise(normal((1,)), watched, 50)
    program = jax.make_jaxpr(lambda p: loss(p, (), KEY, Batch(jnp.zeros((4, 1)))))(params)
    assert len(calls) == 2  # once for shapes, once for all
    assert not any(eqn.primitive.name in ("scan", "while") for eqn in program.eqns)


def test_labels_reach_encoder_and_decoder():
    seen = Network(lambda key: {}, lambda params, x, cond: jnp.stack([cond * x[0], x[0] * 0]))
    step = decoder(seen, seen, gaussian((1,)))
    batch = Batch(jnp.ones((3, 1)), jnp.array([0.0, 1.0, 2.0]))
    params = {"decoder": {"decoder": {}, "encoder": {}}}
    distribution = pushforward(normal((1,)), decoder=step)
    found = [
        jax.jit(loss)(params, (), KEY, batch)[0]
        for loss in (pathwise(normal((1,)), step, 4000), importance_weighted(distribution, 4000))
    ]
    # given c: x ~ N(0, 1 + c^2), and importance weights of q = N(c, 1) tend to it
    truth = np.mean([norm.logpdf(1.0, 0, math.sqrt(1 + c**2)) for c in range(3)])
    np.testing.assert_allclose(found, [-truth] * 2, atol=0.03)


def test_errors():
    step, _ = line()
    energy = Distribution(lambda key: {}, lambda *_: 0.0, Unnormalized(len))
    with pytest.raises(ValueError, match="Unnormalized, wanted Bound"):
        importance_weighted(energy, 5)
    with pytest.raises(ValueError, match="samples=0, wanted at least 1"):
        importance_weighted(normal((1,)), 0)
    with pytest.raises(ValueError, match="samples=0, wanted at least 1"):
        pathwise(normal((1,)), step, 0)
    still = implicit(Network(lambda key: {}, lambda params, z, cond: z))
    with pytest.raises(ValueError, match="NoneType, wanted Encoded"):
        pathwise(normal((1,)), still, 5)
