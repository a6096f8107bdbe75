"""Lengths of steps in the latent: against finite differences and a map whose lengths are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Distribution, Transform
from probtransform.networks import stylegan2
from probtransform.objectives.path_length import length, path_length

KEY = jax.random.key(0)


def test_a_length_is_that_of_finite_differences():
    with jax.enable_x64(True):
        network = stylegan2.synthesis((8, 8, 2), 4, 8)
        noise = np.random.default_rng(0)
        params = jax.tree.map(
            lambda p: jnp.asarray(noise.standard_normal(p.shape)), jax.eval_shape(network.init, KEY)
        )
        static = jnp.asarray(noise.standard_normal(144))
        w = jnp.asarray(noise.standard_normal((4, 4)))
        image = jax.jit(lambda w: network.apply(params, w, static))
        found = length(image, w, KEY)
        # a mean over the places, a sum over channels; the direction is the key's own
        y = jax.random.normal(KEY, (8, 8, 2)) / 8
        step = 1e-6 * jnp.eye(16).reshape(16, 4, 4)
        slope = [float((y * (image(w + h) - image(w - h))).sum()) / 2e-6 for h in step]
        expected = np.sqrt(np.mean((np.reshape(slope, (4, 4)) ** 2).sum(1)))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def linear(seed=0, layers=3, k=5, shape=(4, 4, 2)):
    """`w -> A w`, whose mean squared length is `|A|^2 / (places layers)`."""
    a = np.random.default_rng(seed).standard_normal((*shape, layers, k)).astype(np.float32)
    return a, lambda w: jnp.tensordot(jnp.asarray(a), w, 2)


def test_the_mean_square_of_lengths_of_a_linear_map_is_that_of_its_matrix():
    a, image = linear()
    keys = jax.random.split(KEY, 4000)
    squares = jax.vmap(lambda k: length(image, jnp.zeros((3, 5)), k) ** 2)(keys)
    error = float(squares.std()) / np.sqrt(4000)
    assert abs(float(squares.mean()) - (a**2).sum() / 16 / 3) < 4 * error


def played(weight=2.0, decay=0.25):
    """A linear image of fixed styles, with a loss of 10 beside it."""
    _, image = linear()
    styles = Distribution(lambda key: {}, lambda params, key, cond: jnp.ones((3, 5)), None)
    step = Transform(
        lambda key: {"scale": jnp.ones(())},
        lambda params, key, w, cond: params["scale"] * image(w),
        None,
    )

    def loss(params, carry, key, batch):
        return jnp.asarray(10.0), (carry, {})

    paid = path_length(loss, styles, step, "synthesis", weight, decay, share=2)
    return lambda scale, carry: paid(
        {"synthesis": {"scale": scale}}, carry, KEY, Batch(jnp.zeros((8, 2)))
    )


def test_the_penalty_is_the_spread_about_an_average_that_follows():
    paid = played()
    value, (carry, metrics) = paid(jnp.ones(()), {"path_length": jnp.asarray(1.0)})
    mean = float(metrics["path_length"])
    np.testing.assert_allclose(carry["path_length"], 1 + 0.25 * (mean - 1), rtol=1e-5)
    np.testing.assert_allclose(value, 10 + 2 * metrics["path_penalty"], rtol=1e-5)
    # of four lengths, spread and distance of their mean from the average
    assert float(metrics["path_penalty"]) > (0.75 * (mean - 1)) ** 2
    # twice the map has twice the lengths
    twice = paid(2 * jnp.ones(()), {"path_length": jnp.asarray(1.0)})[1][1]
    np.testing.assert_allclose(twice["path_length"], 2 * mean, rtol=1e-5)


def test_the_average_is_held_still_when_lengths_are_learned():
    """At scale s lengths are s l_i, and the penalty's slope `2 E l_i (s l_i - a)` with a a number."""
    paid = played(weight=1.0)
    carry = {"path_length": jnp.asarray(1.0)}
    slope = jax.grad(lambda s: paid(s, carry)[0])(jnp.ones(()))
    after = float(paid(jnp.ones(()), carry)[1][0]["path_length"])
    seen = paid(jnp.ones(()), carry)[1][1]
    mean, penalty = float(seen["path_length"]), float(seen["path_penalty"])
    square = penalty + 2 * after * mean - after**2  # E l^2
    np.testing.assert_allclose(slope, 2 * (square - after * mean), rtol=1e-4)


def test_numbers_that_mean_nothing_are_named():
    for bad, wanted in (({"weight": -1.0}, "got weight=-1.0"), ({"share": 0}, "got share=0")):
        with pytest.raises(ValueError, match=f"path_length: {wanted}"):
            path_length(None, None, None, "synthesis", **bad)
