"""Entropic transport against iterations by hand, linear programs, limits, finite differences and POT."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from probtransform.objectives.divergences import entropic_transport, sinkhorn_divergence
from probtransform.objectives.divergences.sinkhorn import potentials

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 2)), 0.5 * RNG.normal(size=(20, 2)) + [1.0, 0.3]


def by_hand(x, y, epsilon, rounds=3000):
    """Cuturi's iterations in double precision, to the end; the primal value."""
    cost = cdist(x, y, "sqeuclidean")
    f = np.zeros(len(x))
    for _ in range(rounds):
        g = -epsilon * (logsumexp((f[:, None] - cost) / epsilon, 0) - np.log(len(x)))
        f = -epsilon * (logsumexp((g - cost) / epsilon, 1) - np.log(len(y)))
    plan = np.exp((f[:, None] + g - cost) / epsilon) / cost.size
    return (plan * cost).sum() + epsilon * (plan * np.log(plan * cost.size + 1e-300)).sum()


def exact(x, y):
    """The linear program over all plans."""
    n, m = len(x), len(y)
    margins = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    weights = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cdist(x, y, "sqeuclidean").ravel(), A_eq=margins, b_eq=weights).fun


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 5.0])
def test_transport_is_what_iterations_come_to(epsilon):
    with jax.enable_x64(True):
        found = entropic_transport(jnp.asarray(X), jnp.asarray(Y), epsilon, 1e-12)
    assert found == pytest.approx(by_hand(X, Y, epsilon), rel=1e-7)


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 5.0])
def test_the_divergence_is_three_transports(epsilon):
    own = by_hand(X, X, epsilon) + by_hand(Y, Y, epsilon)
    with jax.enable_x64(True):
        found = sinkhorn_divergence(jnp.asarray(X), jnp.asarray(Y), epsilon, 1e-12)
    assert found == pytest.approx(by_hand(X, Y, epsilon) - own / 2, rel=1e-6)
    single = sinkhorn_divergence(jnp.float32(X), jnp.float32(Y), epsilon)
    assert single == pytest.approx(float(found), rel=0.01)


def test_between_a_linear_program_and_its_entropy():
    """`W <= OT <= W + epsilon KL(best plan)`, and no plan of n by m has more than log min(n, m)."""
    x, y = X[:5], Y[:7]
    with jax.enable_x64(True):
        for epsilon in (0.01, 0.1):
            above = float(
                entropic_transport(jnp.asarray(x), jnp.asarray(y), epsilon, 1e-10)
            ) - exact(x, y)
            assert 0 < above < epsilon * np.log(5)


def test_the_limits():
    with jax.enable_x64(True):
        x, y = jnp.asarray(X), jnp.asarray(Y)
        far = ((X.mean(0) - Y.mean(0)) ** 2).sum()
        assert sinkhorn_divergence(x, y, 1e5, 1e-12) == pytest.approx(far, rel=1e-3)
        assert sinkhorn_divergence(x, y, 2e-3, 1e-5) == pytest.approx(exact(X, Y), rel=0.01)


@pytest.mark.parametrize("epsilon", [0.05, 1.0])
def test_never_negative_zero_for_one_sample_and_symmetric(epsilon):
    with jax.enable_x64(True):
        for seed in range(5):
            draws = np.random.default_rng(seed)
            x, y = jnp.asarray(draws.normal(size=(15, 3))), jnp.asarray(draws.normal(size=(12, 3)))
            d = sinkhorn_divergence(x, y, epsilon, 1e-10)
            assert d > 1e-3
            assert d == pytest.approx(float(sinkhorn_divergence(y, x, epsilon, 1e-10)), rel=1e-7)
            shuffled = x[::-1] + 0  # the same law, but not the same array
            assert sinkhorn_divergence(x, shuffled, epsilon, 1e-10) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("epsilon", [0.05, 1.0])
def test_the_slope_is_that_of_differences(epsilon):
    with jax.enable_x64(True):
        x, y, turn = jnp.asarray(X), jnp.asarray(Y), jnp.asarray(RNG.normal(size=X.shape))

        @jax.jit
        def along(h):
            return sinkhorn_divergence(x + h * turn, y, epsilon, 1e-12)

        wanted = float(along(1e-5) - along(-1e-5)) / 2e-5
        assert jax.jit(jax.grad(along))(0.0) == pytest.approx(wanted, rel=1e-6)


def test_small_temperatures_and_outliers_in_single_precision():
    """Where kernels underflow to nothing: exp(-1e6)."""
    x, y = np.float32(X).copy(), np.float32(Y)
    x[0] = 30
    f, g, _ = potentials(jnp.asarray(cdist(x, y, "sqeuclidean") / 1e-3, jnp.float32))
    assert jnp.isfinite(f).all() and jnp.isfinite(g).all()
    value, slope = jax.value_and_grad(entropic_transport)(jnp.asarray(x), jnp.asarray(y), 0.01)
    assert value == pytest.approx(exact(x, y), rel=0.01) and jnp.isfinite(slope).all()


def test_margins_are_within_the_threshold():
    cost = jnp.float32(cdist(X, Y, "sqeuclidean") / 0.1)
    f, g, error = potentials(cost, 1e-4)
    plan = np.exp(np.float64(f)[:, None] + g - cost)
    assert np.abs(plan.mean(1) - 1).mean() < 1e-4 and np.abs(plan.mean(0) - 1).mean() < 1e-4
    assert error <= 1e-4


def test_under_vmap_each_is_solved_alone():
    xs = jnp.float32(RNG.normal(size=(3, 12, 2))) * jnp.array([0.1, 1, 3])[:, None, None]
    y = jnp.float32(Y)
    together = jax.vmap(lambda x: sinkhorn_divergence(x, y, 0.2, 1e-4))(xs)
    alone = [float(sinkhorn_divergence(x, y, 0.2, 1e-4)) for x in xs]
    np.testing.assert_allclose(together, alone, rtol=1e-3)


@pytest.mark.peers
@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_the_plan_is_pots(epsilon):
    ot = pytest.importorskip("ot")
    cost, weights = cdist(X, Y, "sqeuclidean"), [np.full(n, 1 / n) for n in (30, 20)]
    stop = {"numItermax": 20_000, "stopThr": 1e-10}
    wanted = ot.sinkhorn(*weights, cost, epsilon, "sinkhorn_log", **stop)
    with jax.enable_x64(True):
        f, g, _ = potentials(jnp.asarray(cost) / epsilon, 1e-10)
        found = np.exp(f[:, None] + g - cost / epsilon) / cost.size
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_as_ott(epsilon):
    from ott.tools.sinkhorn_divergence import sinkdiv

    with jax.enable_x64(True):
        x, y = jnp.asarray(X), jnp.asarray(Y)
        solve = {"threshold": 1e-9, "max_iterations": 20_000}
        wanted, _ = sinkdiv(x, y, epsilon=epsilon, solve_kwargs=solve)
        assert sinkhorn_divergence(x, y, epsilon, 1e-10) == pytest.approx(float(wanted), rel=1e-6)


def test_bad_temperature():
    with pytest.raises(ValueError, match="epsilon=0"):
        sinkhorn_divergence(jnp.float32(X), jnp.float32(Y), 0)
