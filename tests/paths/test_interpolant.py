"""Interpolants between mixtures against the Fokker-Planck equation; the Schrödinger bridge of normals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_bridge import APART, BRIDGE, SCALE, A, B
from jax.scipy.special import logsumexp

from probtransform import paths
from probtransform.core import Network
from probtransform.paths import Interpolant, blurred, brownian, drift


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


class Mixture:
    """Mixtures of round normals as base and data, drawn apart, along `alpha x + sigma z + gamma e`."""

    base = (np.array([[-1.0, 0.5], [1.5, -0.5]]), np.array([0.5, 0.8]), np.array([0.4, 0.6]))
    data = (
        np.array([[2.0, 1.0], [0.0, -2.0], [-1.5, 1.0]]),
        np.array([0.3, 0.6, 0.5]),
        np.ones(3) / 3,
    )

    def __init__(self, alpha, sigma, alpha_dot, sigma_dot, variance):
        self.rates = lambda t: (alpha(t), sigma(t), alpha_dot(t), sigma_dot(t), variance(t))

    def parts(self, x, t):
        """Of each pair of components: its log-density at x, and in it the mean of dI/dt and the score."""
        (m, s, p), (n, r, q) = self.base, self.data
        alpha, sigma, alpha_dot, sigma_dot, variance = self.rates(t)
        spread = sigma**2 * s[:, None] ** 2 + alpha**2 * r**2 + variance
        away = x - sigma * m[:, None] - alpha * n
        together = sigma_dot * sigma * s[:, None] ** 2 + alpha_dot * alpha * r**2
        velocity = sigma_dot * m[:, None] + alpha_dot * n + (together / spread)[..., None] * away
        nats = np.log(p)[:, None] + np.log(q) - (away**2).sum(-1) / (2 * spread) - jnp.log(spread)
        return nats - np.log(2 * np.pi), velocity, -away / spread[..., None]

    def log_density(self, x, t):
        return logsumexp(self.parts(x, t)[0])

    def field(self, params, x, t, cond=None):
        nats, velocity, score = self.parts(x, t)
        share = jax.nn.softmax(nats.reshape(-1)).reshape(nats.shape)[..., None]
        return (share * velocity).sum((0, 1)), (share * score).sum((0, 1))


HALF = np.pi / 2
LINE = (lambda t: t, lambda t: 1 - t, lambda t: 1.0, lambda t: -1.0)
ARC = (
    lambda t: jnp.sin(HALF * t),
    lambda t: jnp.cos(HALF * t),
    lambda t: HALF * jnp.cos(HALF * t),
    lambda t: -HALF * jnp.sin(HALF * t),
)
CASES = {
    "bridge": (brownian(0.7), Mixture(*LINE, lambda t: 0.49 * t * (1 - t))),
    "arc": (blurred(paths.trigonometric(), 1.2), Mixture(*ARC, lambda t: 1.44 * t * (1 - t))),
    "sine": (
        Interpolant(paths.linear().point, lambda t: jnp.sin(np.pi * t) ** 4),
        Mixture(*LINE, lambda t: jnp.sin(np.pi * t) ** 4),
    ),
}
LEVELS = {"none": jnp.zeros_like, "even": lambda t: 0.3 + 0 * t, "rising": lambda t: 2 * t**2}
PLACES = np.random.default_rng(0).normal(size=(40, 2)) * 1.5
TIMES = np.random.default_rng(1).uniform(0.02, 0.98, 40)


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("interpolant, exact", CASES.values(), ids=CASES)
def test_its_equation_keeps_the_law_at_every_diffusion(interpolant, exact, level):
    """Fokker and Planck's over p: `d(log p)/dt + div f + f . s - eps (div s + |s|^2) = 0`."""
    field = drift(Network(lambda key: (), exact.field), interpolant, level)

    def residual(x, t):
        def f(x):
            return field.apply((), x, t)

        score = jax.grad(exact.log_density)
        change = jax.grad(exact.log_density, 1)(x, t)
        s, div_s = score(x, t), jnp.trace(jax.hessian(exact.log_density)(x, t))
        inflow = jnp.trace(jax.jacfwd(f)(x)) + f(x) @ s
        return jnp.stack([change + inflow - level(t) * (div_s + s @ s), change])

    left, moved = jax.jit(jax.vmap(residual))(PLACES, TIMES).T
    assert np.abs(moved).max() > 1
    np.testing.assert_allclose(left, 0, atol=1e-9 * np.abs(moved).max())


@pytest.mark.parametrize("interpolant, exact", CASES.values(), ids=CASES)
def test_draws_have_the_law_of_the_interpolant(interpolant, exact):
    """`dI/dt` less its mean given x_t is orthogonal to functions of x_t; the score obeys Stein's identity."""
    rng, n, t = np.random.default_rng(2), 40_000, 0.3
    (m, s, p), (k, r, q) = exact.base, exact.data
    i, j = rng.choice(2, n, p=p), rng.choice(3, n, p=q)
    z = m[i] + s[i, None] * rng.normal(size=(n, 2))
    x = k[j] + r[j, None] * rng.normal(size=(n, 2))
    x_t = jax.vmap(interpolant.point, (0, 0, 0, None))(x, z, rng.normal(size=(n, 2)), t)
    velocity = jax.vmap(interpolant.velocity, (0, 0, None))(x, z, t)
    v, score = jax.vmap(lambda x: exact.field((), x, t))(x_t)
    error = np.asarray(velocity - v)
    stein = np.asarray(x_t[:, :, None] * score[:, None]) + np.eye(2)
    for zero in (error, error * x_t, stein.reshape(n, 4)):
        assert (np.abs(zero.mean(0)) < 4 * np.asarray(zero).std(0) / np.sqrt(n)).all()


def test_ends_are_base_and_data():
    x, z, e = np.random.default_rng(3).normal(size=(3, 5))
    for interpolant, _ in CASES.values():
        np.testing.assert_allclose(interpolant.point(x, z, e, jnp.asarray(0.0)), z, atol=1e-12)
        np.testing.assert_allclose(interpolant.point(x, z, e, jnp.asarray(1.0)), x, atol=1e-12)


def test_a_bridge_heads_for_its_end_and_comes_from_its_start():
    """Given both ends, `(x - x_t) / (1 - t)` at `eps = s^2/2`, `(x_t - z) / t` at `-s^2/2`."""
    x, z, e = np.random.default_rng(3).normal(size=(3, 5))
    for t in (0.1, 0.5, 0.9):
        x_t = brownian(SCALE).point(x, z, e, t)
        away = x_t - (1 - t) * z - t * x
        np.testing.assert_allclose((away / e) ** 2, SCALE**2 * t * (1 - t), rtol=1e-12)
        score = -away / (SCALE**2 * t * (1 - t))
        given = Network(lambda key: (), lambda params, x_t, t, cond: (x - z, score))
        ahead = drift(given, brownian(SCALE), lambda t: SCALE**2 / 2).apply((), x_t, t)
        back = drift(given, brownian(SCALE), lambda t: -(SCALE**2) / 2).apply((), x_t, t)
        np.testing.assert_allclose(ahead, (x - x_t) / (1 - t), rtol=1e-10)
        np.testing.assert_allclose(back, (x_t - z) / t, rtol=1e-10)


def test_the_static_bridge_of_normals_is_the_brownian_kernel_times_a_function_of_each_end():
    """So the precision of (z, x) has `-I / s^2` beside its diagonal, which no other coupling has."""
    for ends, is_bridge in ((BRIDGE, True), (APART, False)):
        joint = np.block([[ends.a, ends.c], [ends.c.T, ends.b]])
        assert (np.linalg.eigvalsh(joint) > 0).all()
        beside = np.linalg.inv(joint)[:2, 2:]
        assert np.allclose(beside, -np.eye(2) / SCALE**2, atol=1e-12) == is_bridge


@pytest.mark.parametrize("ends, is_bridge", [(BRIDGE, True), (APART, False)])
def test_the_drift_of_the_bridge_is_one_of_heat(ends, is_bridge):
    """`f = s^2 grad log h`, `dh/dt + s^2/2 lap h = 0`, so `df/dt + (df/dx) f + s^2/2 lap f = 0`; linear."""
    exact = Network(lambda key: (), lambda params, x, t, cond: ends.field(SCALE)(x, t))
    f = drift(exact, brownian(SCALE), lambda t: SCALE**2 / 2)

    def residual(x, t):
        slope = jax.jacfwd(lambda x: f.apply((), x, t))
        change = jax.jacfwd(lambda t: f.apply((), x, t))(t)
        bent = jax.jacfwd(slope)(x)
        return change + slope(x) @ f.apply((), x, t), slope(x) - slope(x).T, bent

    left, turn, bent = jax.jit(jax.vmap(residual))(PLACES, TIMES)
    np.testing.assert_allclose(bent, 0, atol=1e-10)
    for zero in (left, turn):
        assert (np.abs(zero).max() < 1e-9) == is_bridge


def test_the_marginals_of_the_bridge_are_carried_by_its_flow():
    """`d cov/dt = F cov + cov F'`, from A to B, with F the slope of the probability flow."""
    exact = Network(lambda key: (), lambda params, x, t, cond: BRIDGE.field(SCALE)(x, t))
    flow = drift(exact, brownian(SCALE))
    for t in TIMES[:9]:
        slope = jax.jacfwd(lambda x: flow.apply((), x, t))(jnp.zeros(2))
        cov = BRIDGE.covariance(t, SCALE)
        h = 1e-5
        change = (BRIDGE.covariance(t + h, SCALE) - BRIDGE.covariance(t - h, SCALE)) / (2 * h)
        np.testing.assert_allclose(slope @ cov + cov @ slope.T, change, atol=1e-8)
    np.testing.assert_allclose(BRIDGE.covariance(0.0, SCALE), A)
    np.testing.assert_allclose(BRIDGE.covariance(1.0, SCALE), B)


def test_bad_numbers():
    with pytest.raises(ValueError, match="got scale=0, wanted more than 0"):
        brownian(0)
    with pytest.raises(ValueError, match="got scale=-1"):
        blurred(paths.linear(), -1)
