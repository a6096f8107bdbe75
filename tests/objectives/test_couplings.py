"""Couplings against scipy, POT and fixed points; what they keep of the base, with and without classes."""

from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from probtransform.core import Maybe
from probtransform.objectives.coupling import (
    conditioned,
    independent,
    optimal,
    sinkhorn,
    squared,
    unbalanced,
    within_classes,
)
from probtransform.objectives.coupling.coupling import log_plan
from probtransform.objectives.coupling.shortest_paths import shortest_paths

N = 64
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, 2)).astype(np.float32)
LABEL = np.arange(N) % 2
X = (0.3 * RNG.normal(size=(N, 2)) + np.where(LABEL, 2, -2)[:, None] * [1, 0]).astype(np.float32)
ALL = {
    "independent": independent(),
    "optimal": optimal(),
    "optimal within classes": optimal(within_classes),
    "optimal conditioned": optimal(conditioned(0.01)),
    "sinkhorn": sinkhorn(0.5),
    "sinkhorn within classes": sinkhorn(0.5, within_classes),
    "unbalanced": unbalanced(0.5, 0.9),
}
every = pytest.mark.parametrize("coupling", ALL.values(), ids=ALL)


def paid(i, z=Z, x=X):
    return float(((z[np.asarray(i)] - x) ** 2).sum(-1).mean())


def least(z=Z, x=X):
    cost = cdist(np.float64(x), np.float64(z)) ** 2
    return cost[linear_sum_assignment(cost)].mean()


def a_permutation(i, n=N):
    return sorted(np.asarray(i).tolist()) == list(range(n))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (64, 2), (200, 2), (50, 4, 4, 3)])
@pytest.mark.parametrize("far", [0, 300])
def test_optimal_pays_the_least(key, shape, far):
    z = RNG.normal(size=shape).astype(np.float32) + np.float32(far)
    x = 2 * RNG.standard_t(2, size=shape).astype(np.float32) + np.float32(far)
    i = optimal()(key, z, x, None)
    n = len(z)
    assert a_permutation(i, n) and i.dtype == jnp.int32
    flat = z.reshape(n, -1), x.reshape(n, -1)
    assert paid(i, *flat) == pytest.approx(least(*flat), rel=1e-5)


@pytest.mark.peers
def test_optimal_pays_what_pot_pays(key):
    ot = pytest.importorskip("ot")
    cost = cdist(np.float64(X), np.float64(Z)) ** 2
    assert paid(optimal()(key, Z, X, None)) == pytest.approx(ot.emd2([], [], cost), rel=1e-5)


def test_the_index_is_of_draws_and_not_its_inverse(key):
    """A cycle of three differs from its inverse; `x[i]` paired with z would be torchcfm's old mistake."""
    z = np.float32([[0], [10], [20]])
    i = optimal()(key, z, np.float32([[10], [20], [0]]), None)
    assert i.tolist() == [1, 2, 0]
    best = np.asarray(optimal()(key, Z, X, None))
    assert paid(np.argsort(best)) > 1.5 * paid(best)
    drawn = sinkhorn(1e-2)(key, z, np.float32([[10], [20], [0]]), None)
    assert drawn.tolist() == [1, 2, 0]


@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_without_a_host_the_same_is_paid(n):
    """On one core nobody can be asked; random costs, costs with ties, forbidden pairs."""
    draws = np.random.default_rng(n)
    even = draws.random((n, n)).astype(np.float32)
    ties = draws.integers(0, 3, (n, n)).astype(np.float32)
    barred = np.where((draws.random((n, n)) < 0.7) & ~np.eye(n, dtype=bool), np.inf, even)
    for cost in (even, ties, barred.astype(np.float32)):
        best = np.asarray(jax.jit(shortest_paths)(cost))
        assert sorted(best) == list(range(n))
        rows, columns = linear_sum_assignment(cost)
        wanted = cost[rows, columns].sum()
        assert cost[np.arange(n), best].sum() == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("alone", [False, True], ids=["host", "one core"])
def test_degenerate_batches_are_paired(key, alone, monkeypatch):
    assignment = import_module("probtransform.objectives.coupling.assignment")
    monkeypatch.setattr(assignment, "one_core", lambda: alone)
    same = np.ones((8, 2), np.float32)
    assert a_permutation(optimal()(key, same, same, None), 8)
    apart = np.float32([[100], [0], [1], [-100]])
    assert paid(optimal()(key, apart[::-1], apart, None), apart[::-1], apart) == 0
    assert optimal()(key, Z, np.full_like(X, np.nan), None).tolist() == list(range(N))


def test_costs_are_in_order(key):
    within = paid(optimal(within_classes)(key, Z, X, LABEL))
    loose = paid(optimal(conditioned(0.2))(key, Z, X, np.float32(LABEL)))
    drawn = jax.vmap(lambda k: sinkhorn(1.0)(k, Z, X, None))(jax.random.split(key, 20))
    entropic = np.mean([paid(i) for i in drawn])
    assert least() * (1 - 1e-5) <= loose < within < paid(independent()(key, Z, X, None))
    assert least() < entropic < paid(independent()(key, Z, X, None))


def test_within_classes_is_the_best_of_each_class(key):
    i = np.asarray(optimal(within_classes)(key, Z, X, LABEL))
    assert a_permutation(i) and (LABEL[i] == LABEL).all()
    each = [least(Z[c::2], X[c::2]) for c in (0, 1)]
    assert paid(i) == pytest.approx(np.mean(each), rel=1e-5)
    drawn = np.asarray(sinkhorn(0.5, within_classes)(key, Z, X, LABEL))
    assert (LABEL[drawn] == LABEL).all()


def test_absent_labels_are_a_class_whatever_they_hide(key):
    present = np.arange(N) % 3 > 0
    i = np.asarray(optimal(within_classes)(key, Z, X, Maybe(LABEL, present)))
    group = np.where(present, LABEL, 2)
    assert (group[i] == group).all() and not (LABEL[i] == LABEL).all()


def test_transport_skews_the_base_of_a_class_and_classes_mend_it(key):
    """Mean of the noise of class 1, which lies on the right: its standard error is 1/sqrt(32 * 50)."""

    def mean(coupling):
        def one(key):
            draw, pair = jax.random.split(key)
            z = jax.random.normal(draw, Z.shape)
            return jnp.mean(z[coupling(pair, z, X, LABEL)][LABEL == 1, 0])

        return float(jnp.mean(jax.vmap(one)(jax.random.split(key, 50))))

    error = 1 / np.sqrt(32 * 50)
    assert mean(optimal()) > 0.7  # half a normal has the mean 0.8
    assert mean(sinkhorn(0.5)) > 0.5
    assert abs(mean(independent())) < 4 * error
    assert abs(mean(optimal(within_classes))) < 4 * error
    assert abs(mean(sinkhorn(0.5, within_classes))) < 4 * error
    assert abs(mean(optimal(conditioned(1e-3)))) < 0.2


def test_the_share_that_conditions_leave():
    cond = RNG.normal(size=(N, 1)).astype(np.float32)
    for ratio in (0.01, 0.1, 0.3):
        cost = np.asarray(conditioned(ratio)(Z, X, cond))
        viable = (cost < np.diag(cost)[:, None]).mean()
        assert viable == pytest.approx(ratio, abs=2e-3)
        np.testing.assert_allclose(np.diag(cost), np.diag(squared(Z, X)), rtol=1e-6)


def plan(epsilon, tau=1.0):
    return np.float64(jnp.exp(log_plan(squared(Z, X), epsilon, tau, 1e-6)))


@pytest.mark.parametrize("epsilon", [0.3, 2.0])
def test_the_plan_is_the_fixed_point(epsilon):
    """Uniform margins, and a log that is `-C/epsilon` up to a sum of a row's and a column's number."""
    p = plan(epsilon)
    np.testing.assert_allclose(p.sum(0), 1 / N, rtol=1e-3)
    np.testing.assert_allclose(p.sum(1), 1 / N, rtol=1e-3)
    rest = np.log(p) + np.float64(squared(Z, X)) / epsilon
    rest -= rest.mean(0)
    assert np.abs(rest - rest.mean(1, keepdims=True)).max() < 1e-3


@pytest.mark.peers
@pytest.mark.parametrize("epsilon", [0.3, 2.0])
def test_plans_equal_pots(epsilon):
    ot = pytest.importorskip("ot")
    cost, p = cdist(np.float64(X), np.float64(Z)) ** 2, np.full(N, 1 / N)
    stop = {"numItermax": 20_000, "stopThr": 1e-10}
    expected = ot.sinkhorn(p, p, cost, epsilon, "sinkhorn_log", **stop)
    np.testing.assert_allclose(plan(epsilon), expected, rtol=2e-3, atol=1e-9)
    price = 0.9 / (1 - 0.9) * epsilon
    expected = ot.unbalanced.sinkhorn_unbalanced(p, p, cost, epsilon, price, "sinkhorn", **stop)
    got = plan(
        epsilon, 0.9
    )  # the mass in all hangs on what the entropy is relative to; no draw does
    np.testing.assert_allclose(got / got.sum(), expected / expected.sum(), rtol=2e-3, atol=1e-9)


def test_partners_are_drawn_from_their_row(key):
    i = jax.vmap(lambda k: sinkhorn(2.0)(k, Z, X, None))(jax.random.split(key, 4000))
    seen = (np.asarray(i)[:, 5, None] == np.arange(N)).mean(0)
    np.testing.assert_allclose(seen, plan(2.0)[5] * N, atol=4 * 0.5 / np.sqrt(4000))


def test_an_outlier_drags_no_draw_when_margins_are_priced(key):
    x = X.copy()
    x[0] = 30, 30
    keys = jax.random.split(key, 20)

    def others(coupling, x):
        z = Z[np.asarray(jax.vmap(lambda k: coupling(k, Z, x, None))(keys))].mean(0)
        return ((z - x) ** 2)[1:].sum(-1).mean()

    assert others(unbalanced(0.5, 0.3), x) < others(sinkhorn(0.5), x)


@every
def test_key_jit_vmap_and_shape(coupling, key):
    label = np.float32(LABEL)
    i = coupling(key, Z, X, label)
    assert i.shape == (N,) and i.dtype == jnp.int32 and set(i.tolist()) <= set(range(N))
    assert (i == coupling(key, Z, X, label)).all()
    assert (i == jax.jit(coupling)(key, Z, X, label)).all()
    keys = jax.random.split(key, 3)
    z = jnp.stack([Z, Z[::-1], 2 * Z])
    many = jax.jit(jax.vmap(coupling, (0, 0, None, None)))(keys, z, X, label)
    for row, k, base in zip(many, keys, z, strict=True):
        assert (row == coupling(k, base, X, label)).all()


@every
def test_inside_a_donated_gradient_step(coupling, key):
    """Nothing is learned through the choice of a pair, though both sides depend on parameters."""

    def loss(w, key):
        x, z = w * X, Z + w
        return jnp.mean((x - z[coupling(key, z, x, np.float32(LABEL))]) ** 2)

    def run(w, key):
        body = lambda s, w: w - 0.01 * jax.grad(loss)(w, jax.random.fold_in(key, s))  # noqa: E731
        return jax.lax.fori_loop(0, 20, body, w)

    step = jax.jit(jax.vmap(run), donate_argnums=0)
    w = step(jnp.ones(2), jax.random.split(key, 2))
    assert jnp.isfinite(w).all() and (w != 1).all()


def test_drawing_depends_on_the_key(key):
    other = jax.random.key(1)
    assert (sinkhorn(0.5)(key, Z, X, None) != sinkhorn(0.5)(other, Z, X, None)).any()
    assert (optimal()(key, Z, X, None) == optimal()(other, Z, X, None)).all()


@pytest.mark.parametrize(
    "epsilon, tau", [(0, 1), (-1, 1), (np.nan, 1), (np.inf, 1), (1, 0), (1, 2)]
)
def test_bad_numbers(epsilon, tau):
    with pytest.raises(ValueError, match="wanted epsilon above zero and tau in"):
        unbalanced(epsilon, tau)


def test_errors(key):
    with pytest.raises(ValueError, match="wanted epsilon above zero"):
        sinkhorn(0.0)
    with pytest.raises(ValueError, match="got ratio=1"):
        conditioned(1)
    with pytest.raises(ValueError, match=r"base draws of shape \(63, 2\)"):
        optimal()(key, Z[1:], X, None)
    for cost in (within_classes, conditioned(0.1)):
        with pytest.raises(ValueError, match="got no conditions"):
            optimal(cost)(key, Z, X, None)
