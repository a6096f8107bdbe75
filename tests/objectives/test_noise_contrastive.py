"""Noise contrast where the answer is known: a normal's precision and its constant."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from probtransform.core import Batch, Distribution, Network, Unnormalized, pushforward
from probtransform.distributions import normal
from probtransform.objectives.noise_contrastive import (
    conditional_noise_contrastive,
    flow_contrastive,
    noise_contrastive,
    normaliser,
)
from probtransform.transforms import affine, implicit

KEY = jax.random.key(0)
N = 20_000
DATA = Batch(0.5 * jax.random.normal(jax.random.key(1), (N, 2)))
A, LOG_Z = 4.0, math.log(2 * math.pi / 4)  # of the law that the data are of
HALF_SQUARES, MASSES = np.polynomial.laguerre.laggauss(100)  # |y|^2 / 2 of N(0, I) in the plane


def log_density(params, key, x, cond=None):
    """Precision a; the constant left out."""
    return -params["a"] * jnp.sum(x**2) / 2


NARROW = Distribution(
    lambda key: {"a": jnp.ones(())},
    lambda params, key, cond: jnp.zeros(2),
    Unnormalized(log_density),
)
LAW = normaliser(NARROW)


def at(a, c):
    return {"a": jnp.asarray(a), "constant": jnp.asarray(c)}


def logit(half, a, c, ratio):
    """log f - log ratio q, of half squares."""
    return -a * half - c + half + math.log(2 * math.pi) - math.log(ratio)


def in_expectation(a, c, ratio):
    """The loss by quadrature, in double precision."""
    real, fake = (logit(half, a, c, ratio) for half in (HALF_SQUARES / A, HALF_SQUARES))
    return MASSES @ -np.log(expit(real)) - ratio * MASSES @ np.log(expit(-fake))


def deviations(ratio):
    """Asymptotic standard errors of a and c. Gutmann & Hyvärinen (2012), theorem 3."""
    half = HALF_SQUARES / A
    weight = MASSES * expit(-logit(half, A, LOG_Z, ratio))
    slope = -np.stack([half, np.ones_like(half)])
    hessian, mean = (slope * weight) @ slope.T, slope @ weight
    back = np.linalg.inv(hessian)
    spread = back @ (hessian - (1 + 1 / ratio) * np.outer(mean, mean)) @ back
    return np.sqrt(np.diag(spread) / N)


@pytest.mark.parametrize("ratio", [1, 5])
def test_precision_and_constant_are_found(ratio):
    """The minimum of the loss on these data, by Newton's steps, is as near the truth as theory says."""
    loss = noise_contrastive(LAW, normal((2,)), ratio)

    def value(p):
        return loss({"a": p[0], "constant": p[1]}, (), KEY, DATA)[0]

    @jax.jit
    def step(p):
        return p - jnp.linalg.solve(jax.hessian(value)(p), jax.grad(value)(p))

    p = jnp.array([3.0, 0.8])
    for _ in range(6):
        p = step(p)
    assert (abs(p - step(p)) < 1e-3).all()
    errors = deviations(ratio)
    assert (errors < [0.04, 0.016]).all()
    assert (abs(np.asarray(p) - [A, LOG_Z]) < 4 * errors).all()


@pytest.mark.parametrize("ratio", [1, 5])
@pytest.mark.parametrize("a, c", [(4.0, LOG_Z), (2.0, 1.0), (1.0, -1.0)])
def test_the_value_is_that_of_quadrature(ratio, a, c):
    loss = jax.jit(noise_contrastive(LAW, normal((2,)), ratio))
    found = np.array([loss(at(a, c), (), jax.random.key(i), DATA)[0] for i in range(3)])
    # the data are the same: their share of the error is that of one draw
    real = logit(np.sum(np.asarray(DATA.x, float) ** 2, 1) / 2, a, c, ratio)
    error = (np.log1p(np.exp(-real)).std() + ratio * 0.5 / np.sqrt(3)) / np.sqrt(N)
    assert abs(found.mean() - in_expectation(a, c, ratio)) < 4 * error < 0.1


@pytest.mark.parametrize("ratio", [1, 4])
def test_who_cannot_tell_pays_the_entropy_of_a_guess(ratio):
    """f is the noise itself: `log(1 + r) + r log(1 + 1/r)`."""
    loss = noise_contrastive(normal((2,)), normal((2,)), ratio)
    value, (_, seen) = loss({}, (), KEY, DATA._replace(x=DATA.x[:64]))
    wanted = math.log(1 + ratio) + ratio * math.log(1 + 1 / ratio)
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    assert seen["told_apart"] == (0.5 if ratio > 1 else 0.0)


@pytest.mark.parametrize("c", [80.0, -80.0, 1000.0])
def test_logits_however_large_cost_finite_numbers(c):
    few = DATA._replace(x=DATA.x[:64])

    def near(key, x):
        return x + 20.0

    losses = (
        noise_contrastive(LAW, normal((2,))),
        flow_contrastive(LAW, normal((2,)))[1],
        conditional_noise_contrastive(LAW, near),
    )
    for loss in losses:
        value, slope = jax.value_and_grad(lambda p, loss=loss: loss(p, (), KEY, few)[0])(at(4.0, c))
        assert np.isfinite(value) and np.isfinite(jax.tree.leaves(slope)).all()
    value = noise_contrastive(LAW, normal((2,)))(at(1.0, c), (), KEY, few)[0]
    np.testing.assert_allclose(value, abs(c - math.log(2 * math.pi)), rtol=1e-4)


def near(key, x):
    return x + 0.5 * jax.random.normal(key, x.shape)


def test_near_noise_asks_for_no_constant():
    loss = conditional_noise_contrastive(LAW, near)
    few = DATA._replace(x=DATA.x[:64])
    one, other = (loss(at(3.0, c), (), KEY, few)[0] for c in (0.0, 7.0))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    # symmetric noise: where the two cannot be told apart it costs 2 log 2
    np.testing.assert_allclose(loss(at(0.0, 0.0), (), KEY, few)[0], 2 * math.log(2), rtol=1e-6)


def test_near_noise_finds_the_precision():
    """Its slope vanishes at the data's precision, as nearly as so many data can tell, and turns there."""
    loss = conditional_noise_contrastive(LAW, near, 2)
    slope = jax.jit(jax.grad(lambda p, k: loss(p, (), k, DATA)[0]))
    slopes = {
        a: np.array([slope(at(a, 0.0), jax.random.key(i))["a"] for i in range(10)])
        for a in (3.6, 4.0, 4.4)
    }
    assert slopes[3.6].max() < 0 < slopes[4.4].min()
    assert abs(slopes[4.0].mean()) < min(-slopes[3.6].mean(), slopes[4.4].mean()) / 5


def test_a_flow_climbs_what_the_energy_descends():
    """Scales `s` of the noise: the slope of the flow's loss is that of quadrature, draws and density both."""
    flow = pushforward(normal((2,)), affine=affine(2))
    descend, deceive = flow_contrastive(LAW, flow)
    params = LAW.init(KEY) | flow.init(KEY) | at(2.0, 1.0)

    def slope_of(loss):
        return jax.jit(jax.grad(lambda p, k: loss(p, (), k, DATA)[0]))

    found = np.array(
        [
            slope_of(deceive)(params, jax.random.key(i))["affine"]["log_diagonal"].sum()
            for i in range(4)
        ]
    )

    def value(log_s):
        """`half` are half squares of x, of data and of noise; noise has variance s^2."""
        s = math.exp(log_s)

        def gap(half):
            return -2.0 * half - 1.0 + half / s**2 + math.log(2 * math.pi) + 2 * log_s

        real, fake = gap(HALF_SQUARES / A), gap(s**2 * HALF_SQUARES)
        return MASSES @ -np.log(expit(real)) - MASSES @ np.log(expit(-fake))

    wanted = -(value(1e-4) - value(-1e-4)) / 2e-4
    # one example's slope has a deviation of about one
    assert abs(found.mean() - wanted) < 4 / np.sqrt(N) < abs(wanted) / 10
    down, up = (slope_of(loss)(params, KEY) for loss in (descend, deceive))
    np.testing.assert_allclose(down["a"], -up["a"], rtol=1e-6)


def test_two_constants_of_one_name_are_refused():
    law = Distribution(
        lambda key: {}, lambda p, k, c: jnp.zeros(()), Unnormalized(lambda p, k, x, c=None: x)
    )
    with pytest.raises(ValueError, match=r"normaliser: got blocks named \['constant'\] twice"):
        normaliser(normaliser(law)).init(KEY)


def test_a_noise_that_is_not_known_is_refused():
    unknown = pushforward(
        normal((2,)), generator=implicit(Network(lambda k: (), lambda p, z, c: z))
    )
    with pytest.raises(ValueError, match="wanted Exact"):
        noise_contrastive(NARROW, unknown)
    with pytest.raises(ValueError, match="ratio=0"):
        noise_contrastive(NARROW, normal((2,)), 0)
    with pytest.raises(ValueError, match="ratio=0"):
        conditional_noise_contrastive(NARROW, near, 0)
