"""Reconstruction and its penalties against what linear maps must give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Network
from probtransform.distributions import normal
from probtransform.objectives.autoencoding import (
    SCALES,
    autoencoding,
    like_prior,
    small_codes,
    small_slope,
    small_weights,
)

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def linear(matrix=None) -> Network:
    """`A x`, A a parameter or fixed."""
    return Network(
        lambda key: {}, lambda params, x, cond: (params["A"] if matrix is None else matrix) @ x
    )


def loss_of(matrix, x, penalties=(), noise=0.0, key=KEY):
    """Of an encoder `A = matrix` and a decoder that adds nothing."""
    loss = autoencoding(linear(), linear(jnp.eye(len(matrix))), penalties, noise)
    params = {"encoder": {"A": jnp.asarray(matrix)}, "decoder": {}}
    return loss(params, (), key, Batch(jnp.asarray(x)))


def test_errors_are_summed_over_entries_and_averaged_over_examples():
    x, A = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 3))
    wanted = np.mean(np.sum((x @ A.T - x) ** 2, 1))
    value, (_, metrics) = loss_of(A, x)
    np.testing.assert_allclose([value, metrics["error"]], wanted, rtol=1e-5)
    twice = np.kron(np.eye(2), A)
    np.testing.assert_allclose(loss_of(twice, np.concatenate([x, x], 1))[0], 2 * wanted, rtol=1e-5)


def test_the_best_denoiser_of_a_normal_is_its_posterior_mean():
    """`R = S (S + s^2)^-1` has error `tr(S - R S)`, is the least, and `R x - x` is `s^2` times the score."""
    S, s = np.array([[1.5, 0.6], [0.6, 0.8]]), 0.7
    R = S @ np.linalg.inv(S + s**2 * np.eye(2))
    x = np.float32(RNG.multivariate_normal([0, 0], S, 200_000))
    value = loss_of(R, x, noise=s)[0]
    np.testing.assert_allclose(value, np.trace(S - R @ S), rtol=0.01)
    slope = jax.grad(lambda A: loss_of(A, x, noise=s)[0])(jnp.asarray(R))
    assert np.abs(slope).max() < 0.02
    off = jax.grad(lambda A: loss_of(A, x, noise=s)[0])(jnp.asarray(R + 0.05))
    assert np.abs(off).max() > 0.1
    point = np.array([0.4, -1.0])
    score = -np.linalg.inv(S + s**2 * np.eye(2)) @ point
    np.testing.assert_allclose(R @ point - point, s**2 * score, rtol=1e-10)


def test_penalties_are_those_of_their_formulas():
    codes = jnp.asarray(RNG.normal(size=(5, 2)), jnp.float32)
    params = {"decoder": {"A": jnp.arange(6.0).reshape(3, 2), "b": jnp.ones(3)}}
    wanted = 0.3 / 2 * np.mean(np.sum(np.square(codes), 1))
    np.testing.assert_allclose(small_codes(0.3)(params, KEY, codes, None), wanted, rtol=1e-5)
    assert small_weights(0.1)(params, KEY, codes, None) == pytest.approx(0.1 * (55 + 3))


def test_the_slope_is_the_norm_of_the_jacobian_in_expectation():
    A = jnp.asarray(RNG.normal(size=(4, 3)), jnp.float32)
    decode = Network(lambda key: {}, lambda params, z, cond: jnp.tanh(params["A"] @ z))
    codes = jnp.asarray(RNG.normal(size=(6, 3)), jnp.float32)
    jacobians = jax.vmap(jax.jacfwd(lambda z: jnp.tanh(A @ z)))(codes)
    wanted = 0.5 * np.mean(np.sum(np.square(jacobians), (1, 2)))
    penalty = small_slope(0.5, decode)
    found = jax.vmap(lambda k: penalty({"decoder": {"A": A}}, k, codes, None))(
        jax.random.split(KEY, 4000)
    )
    assert abs(found.mean() - wanted) < 4 * found.std() / np.sqrt(4000) < wanted / 20


def test_codes_like_the_prior_cost_nothing_and_others_do():
    keys = jax.random.split(KEY, 200)
    penalty = like_prior(1.0, normal((2,)))

    def mean(move):
        draws = jax.vmap(
            lambda k: penalty(
                {}, k, move(jax.random.normal(jax.random.fold_in(k, 1), (64, 2))), None
            )
        )(keys)
        return draws.mean(), draws.std() / np.sqrt(len(keys))

    value, error = mean(lambda z: z)
    assert abs(value) < 4 * error < 0.01
    for move in (lambda z: z + 1, lambda z: 0.3 * z, lambda z: z[:, :1] * jnp.ones(2)):
        value, error = mean(move)
        assert value > 10 * error


def test_the_discrepancy_is_that_of_its_definition():
    codes = RNG.normal(size=(7, 3))
    drawn = np.stack([jax.random.normal(k, (3,)) for k in jax.random.split(KEY, 7)])

    def kernel(a, b):
        return np.mean([6 * s / (6 * s + np.sum((a - b) ** 2)) for s in SCALES])

    pairs = [(i, j) for i in range(7) for j in range(7)]
    within = [np.mean([kernel(a[i], a[j]) for i, j in pairs if i != j]) for a in (codes, drawn)]
    wanted = 2.5 * (sum(within) - 2 * np.mean([kernel(codes[i], drawn[j]) for i, j in pairs]))
    found = like_prior(2.5, normal((3,)))({}, KEY, jnp.asarray(codes), None)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_penalties_are_added_and_reported():
    x, A = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 3))
    plain = loss_of(A, x)[0]
    value, (_, metrics) = loss_of(A, x, [small_codes(2.0), small_codes(1.0)])
    extra = 1.5 * np.mean(np.sum((x @ A.T) ** 2, 1))
    np.testing.assert_allclose([value - plain, metrics["penalty"]], extra, rtol=1e-4)
