"""Norms over a batch of references: flax's batch normalisation for them, and the same for all others."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from probtransform.core import Batch, Event, Network, from_nnx
from probtransform.families import biggan as family
from probtransform.networks import biggan
from probtransform.networks.convolution import Conv
from probtransform.networks.standing import StandingNorm, standing
from probtransform.training import fit

KEY = jax.random.key(0)
X = 3 + 2 * jax.random.normal(jax.random.key(1), (16, 4, 4, 2))


class Two(nnx.Module):
    """Two norms after a convolution each, the first with a context."""

    def __init__(self, rngs):
        self.first, self.last = StandingNorm(2, 3, rngs), StandingNorm(5, 0, rngs)
        self.before, self.between = Conv(2, 2, rngs), Conv(2, 5, rngs)

    def __call__(self, x, e, statistics):
        h = jax.nn.relu(self.first(self.before(x), e, statistics))
        return self.last(self.between(h), None, statistics)


def by_flax(params, x, e):
    """The same with flax's layer in training, which normalises by the batch."""
    plain = {"use_bias": False, "use_scale": False, "epsilon": 1e-6, "rngs": nnx.Rngs(0)}

    def normalised(x):
        return nnx.BatchNorm(x.shape[-1], use_running_average=False, **plain)(x)

    def convolved(name, channels, x):
        conv = Conv(2, channels, nnx.Rngs(0))
        nnx.update(conv, params[name])
        return normalised(jax.vmap(conv)(x))

    numbers = e @ params["first"]["context"]["kernel"] + params["first"]["context"]["bias"]
    scale, shift = jnp.split(numbers[:, None, None], 2, -1)
    h = jax.nn.relu((1 + scale) * convolved("before", 2, x) + shift)
    scale, shift = jnp.split(params["last"]["fixed"], 2)
    return (1 + scale) * convolved("between", 5, h) + shift


@pytest.fixture(scope="module")
def two():
    network, e = from_nnx(Two), jax.random.normal(KEY, (16, 3))
    params = jax.tree.map(
        lambda p: p + 0.1 * jnp.sin(jnp.arange(p.size).reshape(p.shape)), network.init(KEY)
    )
    return network, params, e


def test_references_are_normalised_as_a_batch(two):
    network, params, e = two
    stood = standing(network, X, e)
    every = jax.jit(jax.vmap(stood.apply, (None, 0, 0)))
    np.testing.assert_allclose(every(params, X, e), by_flax(params, X, e), rtol=1e-4, atol=1e-5)

    def paid(law):
        return lambda params: jnp.mean(jnp.sin(law(params, X, e)))

    found, wanted = (jax.jit(jax.grad(paid(law)))(params) for law in (every, by_flax))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6), found, wanted)


def test_an_example_is_scaled_by_what_the_references_had(two):
    """Whoever else is there: alone it comes out as among others, and as by their mean and variance."""
    norm = from_nnx(lambda rngs: StandingNorm(2, 0, rngs))
    stood = standing(Network(norm.init, lambda p, x, s: norm.apply(p, x, None, s)), X)
    params, x = norm.init(KEY), jnp.ones((4, 4, 2))
    m, s = np.mean(X, (0, 1, 2)), np.std(X, (0, 1, 2))
    np.testing.assert_allclose(stood.apply(params, x), (x - m) / s, rtol=1e-4)

    network, params, e = two
    stood = standing(network, X, e)
    among = jax.vmap(stood.apply, (None, 0, 0))(params, 9 * X, e)
    np.testing.assert_allclose(stood.apply(params, 9 * X[3], e[3]), among[3], rtol=1e-4, atol=1e-4)
    assert np.abs(among - by_flax(params, 9 * X, e)).max() > 1  # which scales by the batch


def test_references_run_once_for_a_whole_batch():
    """They cost as much as so many examples more."""

    def work(references, batch):
        network = biggan.generator((8, 8, 1), 8, 3, 8, references)
        every = jax.jit(jax.vmap(network.apply, (None, 0, 0)))
        shapes = jnp.zeros((batch, 8)), jnp.zeros((batch, 3))
        costs = every.lower(jax.eval_shape(network.init, KEY), *shapes).compile().cost_analysis()
        return costs["flops"]

    assert work(16, 64) < 1.5 * work(0, 64)


@pytest.mark.parametrize(
    "classes, references, wanted",
    [
        (0, 1, "got 1 references, wanted two at least"),
        (3, 2, "got 2 references of 3 classes"),
        (3, -1, "got references=-1"),
    ],
)
def test_one_reference_has_no_variance(classes, references, wanted):
    with pytest.raises(ValueError, match=wanted):
        biggan.generator((8, 8, 1), 8, classes, 8, references)


def test_a_game_of_standing_norms_is_learned_and_sampled():
    """Under unit spectra too: all that the generator owns moves, and a sample is what it is among others."""
    event, n = Event((3,), 17, classes=3), 32
    model = family.biggan(event, latent=8, width=8, references=12)
    x = np.random.default_rng(0).integers(0, 17, (n, 3)).astype(np.uint8)
    data = Batch(jnp.asarray(x), jnp.arange(n) % 3)
    after = fit(model, optax.adam(1e-3), data, steps=3, batch=16).state.params
    loss = model.players["generator"].loss
    slope = jax.jit(jax.grad(lambda p: loss(p, (), KEY, data)[0]))(after)["generator"]
    assert all(0 < np.abs(leaf).max() < np.inf for leaf in jax.tree.leaves(slope))
    keys, draw = jax.random.split(KEY, n), jax.jit(model.distribution.sample)
    among = jax.vmap(draw, (None, 0, 0))(after, keys, data.cond)
    np.testing.assert_array_equal(draw(after, keys[5], data.cond[5]), among[5])
