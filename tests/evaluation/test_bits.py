"""Bits per dimension against closed forms and enumeration."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from probtransform.core import Batch, Distribution, Exact, Network, Unnormalized, pushforward
from probtransform.distributions import autoregressive, normal
from probtransform.evaluation import bits_per_dim
from probtransform.families import registry
from probtransform.transforms import affine, affine_of, quantise

KEY = jax.random.key(0)


def test_gaussian_bits_are_the_mean_of_scipys():
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    params = {"affine": affine_of(jnp.array([1.0, -1.0]), jnp.asarray(covariance))}
    distribution = pushforward(normal((2,)), affine=affine(2))
    x = jax.random.normal(KEY, (601, 2))
    bits = bits_per_dim(distribution, params, KEY, Batch(x))
    each = -multivariate_normal([1.0, -1.0], covariance).logpdf(x) / (2 * math.log(2))
    assert bits.kind == "exact"
    assert bits.mean == pytest.approx(each.mean(), rel=1e-5)
    assert bits.standard_error == pytest.approx(each.std(ddof=1) / math.sqrt(601), rel=1e-5)


def test_cross_entropy_of_a_gaussian_with_itself_is_its_entropy():
    x = jax.random.normal(KEY, (20_000, 2))
    bits = bits_per_dim(normal((2,)), {}, KEY, Batch(x), chunk=5000)
    entropy = 0.5 * math.log2(2 * math.pi * math.e)
    assert abs(bits.mean - entropy) < 4 * bits.standard_error < 0.05


def test_a_density_may_have_negative_bits():
    params = {"affine": affine_of(jnp.zeros(3), 1e-6 * jnp.eye(3))}
    distribution = pushforward(normal((3,)), affine=affine(3))
    bits = bits_per_dim(distribution, params, KEY, Batch(jnp.zeros((2, 3))))
    assert bits.mean == pytest.approx(math.log2(1e-3 * math.sqrt(2 * math.pi)), rel=1e-5)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_uniform_symbols_cost_the_logarithm_of_their_number(levels):
    flat = Network(lambda key: {}, lambda params, x, cond: jnp.zeros((x.size, levels)))
    distribution = autoregressive(flat, (4, 4, 1), levels)
    x = jax.random.randint(KEY, (7, 4, 4, 1), 0, levels).astype(jnp.uint8)
    bits = bits_per_dim(distribution, {"logits": {}}, KEY, Batch(x))
    assert bits.mean == pytest.approx(math.log2(levels), rel=1e-6)
    assert bits.standard_error == pytest.approx(0, abs=1e-6)


def test_a_tiny_chain_costs_its_enumerated_entropy():
    model, _ = registry["autoregressive"].tiny()
    params = jax.jit(model.distribution.init)(KEY)
    params = jax.tree.map(lambda w: w + 0.5 * jax.random.normal(KEY, w.shape), params)
    symbols = jnp.array(list(itertools.product(range(3), repeat=3)), jnp.uint8)
    nats = jax.vmap(lambda x: model.distribution.density.fn(params, KEY, x, None))(symbols)
    p = np.exp(np.asarray(nats, np.float64))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    entropy = -(p * np.log2(p)).sum() / 3
    counts = np.round(p * 30_000).astype(int)  # data in the model's own proportions
    bits = bits_per_dim(
        model.distribution, params, KEY, Batch(np.repeat(symbols, counts, 0)), chunk=5000
    )
    assert bits.mean == pytest.approx(entropy, abs=1e-3)
    assert bits.kind == "exact"
    assert entropy < math.log2(3) - 0.01  # not the uniform model


def test_dequantisation_is_a_bound_that_weights_close():
    distribution = pushforward(normal((1,)), narrow=affine(1), data=quantise((1,), 4))
    params = {"narrow": affine_of(jnp.zeros(1), jnp.array([[0.09]])), "data": {}}
    truth = -math.log2(0.5 * math.erf(0.5 / 0.3 / math.sqrt(2)))  # the mass of [0, 0.5)
    batch = Batch(jnp.full((2000, 1), 2, jnp.uint8))
    plain = bits_per_dim(distribution, params, KEY, batch)
    sharp = bits_per_dim(distribution, params, KEY, batch, samples=256)
    assert plain.kind == "bound" and sharp.kind == "importance bound (K=256)"
    # E log p(z) within the cell, in closed form
    middle = -math.log2(0.5 / 0.3) + 0.5 * math.log2(2 * math.pi)
    middle += 0.5**2 / 3 / (2 * 0.09) / math.log(2)
    assert abs(plain.mean - middle) < 4 * plain.standard_error < 0.1
    assert plain.mean > truth + 0.1
    assert sharp.mean == pytest.approx(truth, abs=0.01)


def test_the_condition_reaches_the_density_and_chunks_change_nothing():
    def log_density(params, key, x, cond=None):
        return -cond.astype(jnp.float32) * math.log(2)

    distribution = Distribution(lambda key: {}, lambda *_: jnp.zeros(1), Exact(log_density))
    batch = Batch(jnp.zeros((10, 1)), jnp.arange(10))
    for chunk in (3, 10):
        assert bits_per_dim(distribution, {}, KEY, batch, chunk=chunk).mean == pytest.approx(4.5)


@pytest.mark.parametrize("density, name", [(None, "None"), (Unnormalized(len), "Unnormalized")])
def test_no_bits_without_a_normalised_bound(density, name):
    distribution = Distribution(lambda key: {}, lambda *_: jnp.zeros(1), density)
    with pytest.raises(ValueError, match=f"claims {name}, wanted Bound or Exact"):
        bits_per_dim(distribution, {}, KEY, Batch(jnp.zeros((2, 1))))
