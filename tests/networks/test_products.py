"""Products of rows with a kernel: the same numbers as `@`, and one product of matrices however mapped."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from probtransform.core import from_nnx
from probtransform.networks import Linear, SelfAttention
from probtransform.networks.bilinear import product

AXES = [(0, None), (None, 1), (2, 0)]


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def arrays(x_axis=None, kernel_axis=None):
    noise = np.random.default_rng(0)

    def drawn(axis, *shape):
        return noise.standard_normal(shape if axis is None else np.insert(shape, axis, 7))

    return drawn(x_axis, 4, 3, 5), drawn(kernel_axis, 5, 6)


def same(found, wanted):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), found, wanted)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (4, 3, 5), (0, 5)])
def test_a_product_is_that_of_numpy(shape):
    x, kernel = np.random.default_rng(1).standard_normal(shape), arrays()[1]
    same(product(jnp.asarray(x), jnp.asarray(kernel)), x @ kernel)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("order", [jax.jacrev, jax.jacfwd, jax.hessian])
def test_mapped_along_either_or_both_it_is_the_sum(axes, order):
    """Of many, and their derivatives either way: those of a written sum."""

    def written(x, kernel):
        return jnp.sum(x[..., None] * kernel, -2)

    def energy(fn):
        return lambda x, kernel: jnp.sin(jax.vmap(fn, axes)(x, kernel)).sum()

    pair = [jnp.asarray(a) for a in arrays(*axes)]
    found, wanted = (order(energy(fn), (0, 1))(*pair) for fn in (product, written))
    same(found, wanted)


def axes_summed(energy, at):
    """Over how many axes the products of the slope of an energy sum, of those that sum over the most."""
    text = jax.jit(jax.grad(energy)).lower(at).as_text()
    found = re.findall(r"contracting_dims = \[([^\]]*)\]", text)
    return max(len(axes.split(",")) for axes in found)


def test_a_slope_over_draws_and_examples_is_one_product():
    """Of two axes at once the compiler would turn a factor in memory."""
    x, kernel = (jnp.asarray(a) for a in arrays())

    def energy(fn):
        return lambda kernel: jax.vmap(jax.vmap(fn, (0, None)), (0, None))(x, kernel).sum()

    assert axes_summed(energy(product), kernel) == 1
    assert axes_summed(energy(jnp.matmul), kernel) == 2  # else all this is not needed any more


def test_a_linear_layer_is_that_of_flax(key):
    for options in ({}, {"use_bias": False}, {"kernel_init": nnx.initializers.zeros}):
        ours, theirs = (
            from_nnx(lambda rngs, layer=layer: layer(5, 6, rngs=rngs, **options))
            for layer in (Linear, nnx.Linear)
        )
        params = ours.init(key)
        same(params, theirs.init(key))
        params = jax.tree.map(lambda p: p + 0.5, params)
        x = jnp.asarray(arrays()[0])
        same(ours.apply(params, x), theirs.apply(params, x))


def test_heads_are_products_too(key):
    """No product of a layer of attention sums over examples and places apart."""
    layer = from_nnx(lambda rngs: SelfAttention(8, 2, rngs))
    x, params = jax.random.normal(key, (3, 4, 8)), layer.init(key)

    def energy(params):
        return jax.vmap(layer.apply, (None, 0))(params, x).sum()

    assert axes_summed(energy, params) == 1
