"""Bounds on mutual information, with the critic that is best: normals whose information is known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import logsumexp

from probtransform.core import Batch, Model, Network, Player
from probtransform.distributions.among import among
from probtransform.objectives import likelihood
from probtransform.objectives.contrastive import (
    donsker_varadhan,
    info_nce,
    mine,
    mutual_information,
    nce,
    nwj,
    remembered,
    smile,
)
from probtransform.training import fit

KEY = jax.random.key(0)
RHO = 0.8


def information(rho, d):
    return -d / 2 * math.log(1 - rho**2)


def log_ratio(x, y, rho):
    """`log p(x, y) / p(x) p(y)` of each entry, standard normals of correlation rho."""
    rest = 1 - rho**2
    return -0.5 * np.log(rest) - (rho**2 * (x**2 + y**2) - 2 * rho * x * y) / (2 * rest)


def drawn(n, d, rho, seed):
    """Scores of the best critic: `f32[n, n]`."""
    x, e = np.random.default_rng(seed).normal(size=(2, n, d))
    y = rho * x + math.sqrt(1 - rho**2) * e
    return log_ratio(x[:, None], y, rho).sum(-1).astype(np.float32)


def nodes(count=64):
    x, w = np.polynomial.hermite_e.hermegauss(count)
    return x, w / w.sum()


@pytest.fixture(scope="module")
def batches():
    """4000 batches of 8 pairs in one dimension."""
    return np.stack([drawn(8, 1, RHO, i) for i in range(4000)])


def over(bound, batches):
    found = np.asarray(jax.jit(jax.vmap(bound))(batches), np.float64)
    return found.mean(), found.std() / math.sqrt(len(found))


def test_each_is_its_formula():
    s = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    apart = s[~np.eye(6, dtype=bool)].astype(np.float64)
    own = np.trace(s.astype(np.float64)) / 6
    wanted = {
        donsker_varadhan: own - np.log(np.exp(apart).mean()),
        nwj: own - np.exp(apart - 1).mean(),
        info_nce: own + math.log(6) - np.mean([logsumexp(row.astype(np.float64)) for row in s]),
        nce: 1
        + math.log(5)
        - np.logaddexp(0, math.log(5) - np.diag(s).astype(np.float64)).mean()
        - 5 * np.logaddexp(0, apart - math.log(5)).mean(),
        lambda s: smile(s, 0.5): own - np.log(np.exp(np.clip(apart, -0.5, 0.5)).mean()),
    }
    for bound, value in wanted.items():
        assert abs(float(bound(jnp.asarray(s))) - value) < 1e-5


def test_nwj_is_unbiased(batches):
    mean, error = over(lambda s: nwj(s + 1), batches)
    assert abs(mean - information(RHO, 1)) < 4 * error and error < 0.03


def test_info_nce_of_two_is_its_integral():
    """`log 2 + E log sigmoid(f(x, y) - f(x, y'))`, by quadrature over x, y given x, and y' alone."""
    x, w = nodes()
    here = x[:, None, None]
    own = RHO * here + math.sqrt(1 - RHO**2) * x[None, :, None]
    gap = log_ratio(here, own, RHO) - log_ratio(here, x[None, None], RHO)
    weight = w[:, None, None] * w[None, :, None] * w
    wanted = math.log(2) - (weight * np.logaddexp(0, -gap)).sum()
    pairs = np.stack([drawn(2, 1, RHO, i) for i in range(8000)])
    mean, error = over(info_nce, pairs)
    assert abs(mean - wanted) < 4 * error and error < 0.01
    assert wanted < math.log(2) < information(0.95, 1)


@pytest.mark.parametrize("n", [2, 8])
def test_nce_is_its_integral(n, batches):
    """Every pair on its own: an expectation over pairs, and one over the margins."""
    x, w = nodes(200)
    weight, here = w[:, None] * w, x[:, None]
    own = log_ratio(here, RHO * here + math.sqrt(1 - RHO**2) * x, RHO) - math.log(n - 1)
    other = log_ratio(here, x, RHO) - math.log(n - 1)
    missed = (weight * (np.logaddexp(0, -own) + (n - 1) * np.logaddexp(0, other))).sum()
    wanted = 1 + math.log(n - 1) - missed
    pairs = batches if n == 8 else np.stack([drawn(2, 1, RHO, i) for i in range(8000)])
    mean, error = over(nce, pairs)
    assert abs(mean - wanted) < 4 * error and error < 0.02
    assert wanted < information(RHO, 1)
    many = math.log(9999)
    own, other = own + math.log(n - 1) - many, other + math.log(n - 1) - many
    missed = (weight * (np.logaddexp(0, -own) + 9999 * np.logaddexp(0, other))).sum()
    assert abs(1 + many - missed - information(RHO, 1)) < 0.01  # with many others it is all of it


def test_smile_is_wrong_by_what_it_cuts():
    """With the best critic `I - log E clip(ratio, e^-cut, e^cut)` under the product, summed on a grid."""
    grid, rho = np.linspace(-8, 8, 1601), 0.99
    weight = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()
    ratio = np.exp(np.clip(log_ratio(grid[:, None], grid, rho), -1, 1))
    bias = -math.log((weight[:, None] * weight * ratio).sum())
    assert bias > 0.3
    big = drawn(2000, 1, rho, 0)
    assert abs(float(smile(big, 1.0)) - information(rho, 1) - bias) < 0.1
    assert abs(float(smile(big, 1000.0)) - float(donsker_varadhan(big))) < 1e-5


def test_donsker_varadhan_is_above_in_small_batches_and_right_in_large_ones():
    """The logarithm of a mean is less than the mean's: the bias is above, and goes with n."""
    small = np.stack([drawn(3, 1, RHO, i) for i in range(8000)])
    mean, error = over(donsker_varadhan, small)
    assert mean - information(RHO, 1) > 4 * error
    large = [float(donsker_varadhan(drawn(2000, 1, RHO, i))) for i in range(5)]
    assert abs(np.mean(large) - information(RHO, 1)) < 0.04


def test_info_nce_never_says_more_than_log_n():
    """Twenty dimensions at 0.9 hold 16.6 nats; a batch of 32 shows log 32 of them, one of 512 log 512."""
    assert information(0.9, 20) > 16
    for n in (2, 32, 512):
        found = float(info_nce(drawn(n, 20, 0.9, 0)))
        assert found <= math.log(n) + 1e-5 and found > math.log(n) - 0.05
    for scale in (0.1, 10.0, 1000.0):  # whatever the critic
        scores = scale * jax.random.normal(KEY, (16, 16))
        assert float(info_nce(scores + 100 * jnp.eye(16))) <= math.log(16) + 1e-5
    assert float(nwj(drawn(512, 20, 0.9, 0) + 1)) > 10  # which the others do not have


def test_info_nce_rises_with_the_batch():
    found = [
        over(info_nce, np.stack([drawn(n, 1, RHO, i) for i in range(500)])) for n in (2, 8, 32)
    ]
    means = [mean for mean, _ in found]
    assert means[0] < means[1] < means[2] < information(RHO, 1)


QUADRATIC = Network(
    lambda key: {"a": jnp.zeros(3)},
    lambda p, x, y: p["a"] @ jnp.stack([x[0] * y[0], x[0] ** 2 + y[0] ** 2, jnp.ones(())]),
)
BEST = jnp.asarray([RHO / (1 - RHO**2), -(RHO**2) / (2 * (1 - RHO**2)), 0.0])


@pytest.fixture(scope="module")
def normals():
    x, e = np.random.default_rng(7).normal(size=(2, 20_000, 1)).astype(np.float32)
    return Batch(x, np.float32(RHO) * x + np.float32(math.sqrt(1 - RHO**2)) * e)


@pytest.mark.parametrize("bound", [info_nce, donsker_varadhan, nwj, "mine"])
def test_a_critic_learns_the_ratio(bound, normals):
    """Of all quadratic critics each bound finds the one of the density ratio."""
    loss = mine(QUADRATIC, "c") if bound == "mine" else mutual_information(QUADRATIC, "c", bound)
    carry = remembered if bound == "mine" else lambda key: ()
    model = Model(among(QUADRATIC, "c"), {"c": Player(("c",), loss)}, {}, carry)
    tx = optax.adam(optax.linear_schedule(0.05, 0.0, 600))
    run = fit(model, tx, normals, steps=600, batch=128)
    np.testing.assert_allclose(run.state.params["c"]["a"][:2], BEST[:2], atol=0.15)
    nats = np.mean([row["nats"] for row in run.history[-2:]])
    assert abs(nats - information(RHO, 1)) < 0.08


def test_the_slope_of_mine_divides_by_what_it_remembers(normals):
    """`-E_joint df + E_apart[df e^f] / m`, m a running mean of E_apart[e^f]; the number is its own."""
    batch = Batch(normals.x[:16], normals.cond[:16])
    p = {"c": {"a": jnp.asarray([0.3, -0.1, 0.2])}}
    loss = mine(QUADRATIC, "c")
    carry = {"log_mean": jnp.log(2.0)}
    (value, (after, _)), slope = jax.value_and_grad(loss, has_aux=True)(p, carry, KEY, batch)

    x, y = (np.asarray(v[:, 0], np.float64) for v in batch)
    terms = np.stack([x[:, None] * y, x[:, None] ** 2 + y**2, np.ones((16, 16))], -1)
    f, apart = terms @ np.asarray(p["c"]["a"], np.float64), ~np.eye(16, dtype=bool)
    mean = np.exp(f[apart]).mean()
    known = 0.99 * 2 + 0.01 * mean
    wanted = -terms[~apart].mean(0) + (terms[apart] * np.exp(f[apart])[:, None]).mean(0) / known
    np.testing.assert_allclose(slope["c"]["a"], wanted, atol=1e-5)
    assert abs(float(after["log_mean"]) - math.log(known)) < 1e-6
    assert abs(float(value) + f[~apart].mean() - math.log(mean)) < 1e-5
    _, (first, _) = loss(p, remembered(KEY), KEY, batch)
    assert abs(float(first["log_mean"]) - math.log(mean)) < 1e-5


def test_info_nce_is_a_likelihood(normals):
    """Minus the log-likelihood of each partner among all, less log n."""
    x, y = jnp.asarray(normals.x[:12]), jnp.asarray(normals.cond[:12])
    p = {"c": {"a": jnp.asarray([0.5, -0.2, 0.1])}}
    told = Batch(jnp.arange(12), (x, jnp.broadcast_to(y, (12, *y.shape))))
    nll, _ = likelihood(among(QUADRATIC, "c"))(p, (), KEY, told)
    scores = jax.vmap(lambda x: jax.vmap(lambda y: QUADRATIC.apply(p["c"], x, y))(y))(x)
    assert abs(float(nll) - (math.log(12) - float(info_nce(scores)))) < 1e-5


def test_wrong_scores_and_cuts_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 4\)"):
        info_nce(jnp.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"shape \(1, 1\)"):
        nwj(jnp.zeros((1, 1)))
    with pytest.raises(ValueError, match="cut=0"):
        smile(jnp.zeros((3, 3)), 0)
