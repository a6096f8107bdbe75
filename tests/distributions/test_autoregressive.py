"""The chain rule, enumerated."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from probtransform.core import Network, log_density_many, sample_many
from probtransform.distributions import autoregressive

KEY = jax.random.key(0)
LEVELS, SIZE = 3, 3
SYMBOLS = np.array(list(itertools.product(range(LEVELS), repeat=SIZE)), np.uint8)


def chain():
    """Logits of symbol i from a table, shifted by the sum of the symbols before it."""
    table = (
        np.random.default_rng(0).standard_normal((SIZE, LEVELS, LEVELS * SIZE)).astype(np.float32)
    )

    def apply(params, x, cond):
        before = jnp.cumsum(x) - x
        return jnp.take_along_axis(jnp.asarray(table), before[:, None, None], -1)[..., 0]

    return autoregressive(Network(lambda key: {}, apply), (SIZE, 1), LEVELS), table


def by_hand(table):
    """`prod_i softmax(table[i, :, sum of x_<i])[x_i]` for all symbols."""
    mass = []
    for x in SYMBOLS.astype(int):
        p = 1.0
        for i in range(SIZE):
            row = np.exp(np.float64(table[i, :, x[:i].sum()]))
            p *= row[x[i]] / row.sum()
        mass.append(p)
    return np.array(mass)


def test_the_density_is_the_product_of_conditionals():
    distribution, table = chain()
    nats = log_density_many(distribution, {"logits": {}}, KEY, SYMBOLS.reshape(-1, SIZE, 1))
    np.testing.assert_allclose(np.exp(nats), by_hand(table), rtol=1e-4)
    assert by_hand(table).sum() == pytest.approx(1)


def test_samples_have_the_enumerated_masses():
    distribution, table = chain()
    x = np.asarray(sample_many(distribution, {"logits": {}}, KEY, 6000))
    assert x.shape == (6000, SIZE, 1) and x.dtype == np.uint8
    index = x.reshape(-1, SIZE).astype(int) @ LEVELS ** np.arange(SIZE)[::-1]
    counts = np.bincount(index, minlength=len(SYMBOLS))
    mass = by_hand(table)
    assert stats.chisquare(counts, 6000 * mass / mass.sum()).pvalue > 1e-3


@pytest.mark.parametrize("levels, kind", [(256, np.uint8), (257, np.int32)])
def test_symbols_are_bytes_where_bytes_suffice(levels, kind):
    flat = Network(lambda key: {}, lambda params, x, cond: jnp.zeros((2, levels)))
    assert autoregressive(flat, (2,), levels).sample({"logits": {}}, KEY, None).dtype == kind


def test_impossible_symbols_are_never_drawn():
    sure = jnp.array([[-1e9, 0.0, -1e9]] * 2)
    one = autoregressive(Network(lambda key: {}, lambda params, x, cond: sure), (2,), 3)
    assert (sample_many(one, {"logits": {}}, KEY, 500) == 1).all()


@pytest.mark.parametrize(
    "bad", [jnp.zeros((1, SIZE, 1), int), jnp.zeros(SIZE, int), jnp.zeros((SIZE, 1))]
)
def test_a_wrong_example_is_named(bad):
    with pytest.raises(ValueError, match="autoregressive: got an example of"):
        chain()[0].density.fn({"logits": {}}, KEY, bad)
