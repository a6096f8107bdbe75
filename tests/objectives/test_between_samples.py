"""Any distance trains any distribution that can be sampled: a Gaussian finds a Gaussian by each."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Model, Player, Transform, pushforward
from probtransform.distributions import normal
from probtransform.objectives.divergences import (
    bures,
    divergence_between_samples,
    energy_kernel,
    entropic_transport,
    gaussian_kernel,
    gaussian_of,
    inverse_multiquadric,
    max_sliced_wasserstein,
    mmd,
    sinkhorn_divergence,
    sliced_wasserstein,
    wasserstein,
)
from probtransform.training import learner

MEAN = np.array([0.5, -0.3])
COVARIANCE = np.array([[0.6, 0.3], [0.3, 0.4]])
DISTANCES = {
    "wasserstein": lambda key, x, y: wasserstein(x, y),
    "sliced": lambda key, x, y: sliced_wasserstein(key, x, y, 16),
    "max-sliced": lambda key, x, y: max_sliced_wasserstein(key, x, y, 8, 4),
    "bures": lambda key, x, y: bures(gaussian_of(x), gaussian_of(y)),
    "sinkhorn": lambda key, x, y: sinkhorn_divergence(x, y, 0.2),
    "mmd": lambda key, x, y: mmd(x, y, gaussian_kernel(0.5, 1.0, 2.0)),
    "multiquadric": lambda key, x, y: mmd(x, y, inverse_multiquadric(1.0)),
    "energy": lambda key, x, y: mmd(x, y, energy_kernel),
}


def affine():
    """`m + A z` of two normal numbers, in the shape [1, 2] of a tiny picture."""

    def init(key):
        return {"mean": jnp.zeros(2), "root": jnp.eye(2)}

    def forward(params, key, z, cond=None):
        return (params["mean"] + params["root"] @ z)[None]

    return pushforward(normal((2,)), map=Transform(init, forward, None))


def trained(distance, batch=128, steps=400):
    """The mean and covariance it ends with, averaged over the second half."""
    root = np.linalg.cholesky(COVARIANCE)
    model = Model(
        affine(), {"one": Player(("map",), divergence_between_samples(affine(), distance))}
    )
    train = learner(model, optax.adam(optax.cosine_decay_schedule(0.05, steps)))

    def one(state, key):
        draw, step = jax.random.split(key)
        x = MEAN + jax.random.normal(draw, (batch, 2)) @ root.T
        state, _ = train.step(state, step, Batch(x[:, None]))
        return state, state.params["map"]

    keys = jax.random.split(jax.random.key(2), steps)
    _, seen = jax.jit(lambda s: jax.lax.scan(one, s, keys))(train.init(jax.random.key(0)))
    mean, root = (np.asarray(seen[k][steps // 2 :]).mean(0) for k in ("mean", "root"))
    return mean, root @ root.T


@pytest.mark.parametrize("name", DISTANCES)
def test_a_gaussian_finds_a_gaussian(name):
    mean, covariance = trained(DISTANCES[name])
    np.testing.assert_allclose(mean, MEAN, atol=0.06)
    np.testing.assert_allclose(covariance, COVARIANCE, atol=0.08)


def test_transport_with_entropy_alone_shrinks():
    """What the debiasing is for: at epsilon = 1 the spread comes out too small by far."""
    _, covariance = trained(lambda key, x, y: entropic_transport(x, y, 1.0))
    assert np.trace(covariance) < 0.5 * np.trace(COVARIANCE)


def test_the_loss_is_the_distance_of_draws_and_examples():
    seen = []

    def distance(key, x, y):
        seen.append((x, y))
        return jnp.mean(x) - jnp.mean(y)

    batch = Batch(jnp.arange(6.0).reshape(3, 1, 2))
    loss = divergence_between_samples(affine(), distance)
    params = {"map": {"mean": jnp.array([1.0, 2.0]), "root": jnp.zeros((2, 2))}}
    value, (carry, metrics) = loss(params, "carried", jax.random.key(0), batch)
    np.testing.assert_allclose(seen[0][0], [[1, 2]] * 3)
    np.testing.assert_allclose(seen[0][1], [[0, 1], [2, 3], [4, 5]])
    assert value == 1.5 - 2.5 and carry == "carried" and metrics["divergence"] == value


def test_levels_pass_no_gradient_and_are_refused():
    loss = divergence_between_samples(affine(), DISTANCES["mmd"])
    params = affine().init(jax.random.key(0))
    with pytest.raises(ValueError, match="got int32 numbers"):
        loss(params, (), jax.random.key(0), Batch(jnp.zeros((3, 1, 2), jnp.int32)))
