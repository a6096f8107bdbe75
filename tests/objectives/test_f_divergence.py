"""f-divergences against their definitions by quadrature, their duals, and numeric Legendre transforms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from probtransform.objectives import divergences
from probtransform.objectives.divergences import Gaussian, alpha_divergence, dual

X = np.linspace(-20, 20, 40_001)
P, Q = norm(0.3, 1.0), norm(-0.2, 1.2)


def mixed(p, q, pi):
    m = pi * p + (1 - pi) * q
    return pi * p * np.log(p / m) + (1 - pi) * q * np.log(q / m)


# the integrands, as every textbook has them
DEFINED = {
    "kl": lambda p, q: p * np.log(p / q),
    "reverse_kl": lambda p, q: q * np.log(q / p),
    "jeffreys": lambda p, q: (p - q) * np.log(p / q),
    "pearson": lambda p, q: (p - q) ** 2 / q,
    "neyman": lambda p, q: (p - q) ** 2 / p,
    "squared_hellinger": lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2,
    "total_variation": lambda p, q: np.abs(p - q) / 2,
    "jensen_shannon": lambda p, q: 2 * mixed(p, q, 0.5),
    "gan": lambda p, q: p * np.log(p / (p + q)) + q * np.log(q / (p + q)),
    "weighted_js_0.2": lambda p, q: mixed(p, q, 0.2),
    **{
        f"alpha_{a}": lambda p, q, a=a: (p**a * q ** (1 - a) - a * p - (1 - a) * q) / (a * (a - 1))
        for a in (-1.0, -0.4, 0.3, 0.5, 1.5, 2.0)
    },
}
ALL = {
    **divergences.NAMED,
    "weighted_js_0.2": divergences.weighted_jensen_shannon(0.2),
    **{f"alpha_{a}": alpha_divergence(a) for a in (-1.0, -0.4, 0.3, 0.5, 1.5, 2.0)},
}
every = pytest.mark.parametrize("name", ALL)


def true(name):
    return np.trapezoid(DEFINED[name](P.pdf(X), Q.pdf(X)), X)


def under(law, values):
    return np.trapezoid(law.pdf(X) * np.asarray(values), X)


LOG_RATIO = P.logpdf(X) - Q.logpdf(X)


def test_every_one_is_defined_here():
    assert ALL.keys() == DEFINED.keys()


@every
def test_f_of_the_log_ratio_is_the_definition(name):
    with jax.enable_x64(True):
        found = under(Q, ALL[name].f(jnp.asarray(LOG_RATIO)))
    assert found == pytest.approx(true(name), rel=1e-9)


@every
def test_the_closed_form_is_the_integral(name):
    with jax.enable_x64(True):
        p, q = (Gaussian(jnp.array([g.mean()]), jnp.array([[g.var()]])) for g in (P, Q))
        closed = ALL[name].gaussians
        if closed is None:
            assert "js" in name or name in ("total_variation", "jensen_shannon", "gan")
        else:
            assert closed(p, q) == pytest.approx(true(name), rel=1e-9)
            assert closed(q, q) == pytest.approx(0, abs=1e-12)


@every
def test_the_dual_is_tight_at_the_best_critic_and_below_elsewhere(name):
    d, value = ALL[name], true(name)

    def bound(v):
        return under(P, d.activation(v)) - under(Q, d.conjugate(v))

    with jax.enable_x64(True):
        best = d.optimal(jnp.asarray(LOG_RATIO))
        assert bound(best) == pytest.approx(value, rel=1e-9)
        for seed in range(20):
            a, b, c, w = np.random.default_rng(seed).normal(size=4)
            away = (0.3 + abs(a)) * np.sin((w + 0.3) * X + b) * np.exp(c / 2)
            if name == "total_variation":  # where it is saturated, going on changes nothing
                away = 1.5 * away - best
            assert bound(best + away) < value - 1e-6


@every
def test_the_conjugate_is_the_legendre_transform(name):
    """`sup_u u t - f(u)`, searched for over log u."""
    d = ALL[name]
    grid = np.linspace(-40, 40, 4001)
    with jax.enable_x64(True):
        f = jax.jit(d.f)
        for v in (-6.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.0, 3.0):
            t = float(d.activation(jnp.asarray(v)))
            rough = grid[np.argmax(np.exp(grid) * t - np.asarray(f(grid)))]
            fine = minimize_scalar(
                lambda r, t=t: float(f(r)) - np.exp(r) * t,
                bounds=(rough - 0.02, rough + 0.02),
                method="bounded",
                options={"xatol": 1e-10},
            )
            best = max(-fine.fun, np.exp(rough) * t - float(f(rough)))
            assert float(d.conjugate(jnp.asarray(v))) == pytest.approx(best, rel=1e-7, abs=1e-7)


@every
def test_the_best_critic_is_the_slope_of_f(name):
    """`T* = f'(u)`, so `d/dr f(e^r) = e^r T*`."""
    d = ALL[name]
    with jax.enable_x64(True):
        r = jnp.linspace(-5, 5, 41)[jnp.arange(41) != 20]  # |p - q| has a corner at 0
        slope = jax.vmap(jax.grad(d.f))(r)
        np.testing.assert_allclose(slope, np.exp(r) * d.activation(d.optimal(r)), rtol=1e-9)


@every
def test_finite_in_single_precision_at_80_either_way(name):
    """Values and slopes, and right: as in double precision."""
    d = ALL[name]
    at = np.array([-80, -40, -1e-3, 0, 1e-3, 40, 80.0])
    with jax.enable_x64(True):
        wide = {
            k: np.asarray(getattr(d, k)(jnp.asarray(at))) for k in ("activation", "conjugate", "f")
        }
    for part, right in wide.items():
        held = np.abs(right) < 1e38  # f itself may be a number that single precision has not
        assert held.all() or (
            part == "f"
            and name in ("pearson", "alpha_1.5", "alpha_2.0", "alpha_-1.0", "alpha_-0.4")
        )
        v = jnp.asarray(at[held], jnp.float32)
        value, slope = jax.vmap(jax.value_and_grad(getattr(d, part)))(v)
        assert (
            value.dtype == jnp.float32 and jnp.isfinite(value).all() and jnp.isfinite(slope).all()
        )
        np.testing.assert_allclose(value, right[held], rtol=2e-5, atol=1e-6)


def test_never_negative_and_zero_for_one_law():
    draws = np.random.default_rng(0)
    for name, d in ALL.items():
        least = -np.log(4) if name == "gan" else 0.0
        with jax.enable_x64(True):
            assert float(d.f(jnp.zeros(()))) == pytest.approx(least, abs=1e-15)
            for _ in range(10):
                p = norm(draws.normal(), 1 + 0.1 * draws.uniform())
                r = p.logpdf(X) - Q.logpdf(X)
                assert under(Q, d.f(jnp.asarray(r))) > least


def test_the_bound_from_draws_is_the_bound():
    """At the best critic, within four standard errors of the divergence; and by hand."""
    n, draws = 200_000, np.random.default_rng(0)
    x, y = P.rvs(n, random_state=draws), Q.rvs(n, random_state=draws)
    for name in ("kl", "jensen_shannon", "squared_hellinger"):
        d = ALL[name]
        v_p, v_q = (d.optimal(jnp.float32(P.logpdf(z) - Q.logpdf(z))) for z in (x, y))
        error = np.hypot(d.activation(v_p).std(), d.conjugate(v_q).std()) / np.sqrt(n)
        assert abs(float(dual(d, v_p, v_q)) - true(name)) < 4 * error < 0.05 * true(name)
    found = dual(divergences.kl, jnp.array([1.0, 3.0]), jnp.array([1.0, 0.0, 2.0]))
    assert float(found) == pytest.approx(2 - (1 + np.exp(-1) + np.exp(1)) / 3, rel=1e-6)


def test_kin():
    with jax.enable_x64(True):
        r = jnp.linspace(-3, 3, 13)

        def twice_is(half, whole):
            np.testing.assert_allclose(2 * half.f(r), whole.f(r), rtol=1e-12, atol=1e-14)

        twice_is(alpha_divergence(2.0), divergences.pearson)
        twice_is(alpha_divergence(-1.0), divergences.neyman)
        twice_is(divergences.squared_hellinger, alpha_divergence(0.5))
        twice_is(divergences.weighted_jensen_shannon(0.5), divergences.jensen_shannon)
        p, q = divergences.kl, divergences.reverse_kl
        u = jnp.exp(r)
        np.testing.assert_allclose(alpha_divergence(1 + 1e-7).f(r), p.f(r) - u + 1, atol=1e-5)
        np.testing.assert_allclose(alpha_divergence(1e-7).f(r), q.f(r) + u - 1, atol=1e-5)


def test_bad_numbers():
    for alpha in (0, 1, float("nan")):
        with pytest.raises(ValueError, match="alpha_divergence: got alpha="):
            alpha_divergence(alpha)
    for pi in (0, 1, -0.1):
        with pytest.raises(ValueError, match="weighted_jensen_shannon: got pi="):
            divergences.weighted_jensen_shannon(pi)
