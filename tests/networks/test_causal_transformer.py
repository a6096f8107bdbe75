"""No row looks ahead, and the rows met one by one are those met all at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.networks.causal_transformer import causal_transformer

KEY = jax.random.key(0)
SIZE, LEVELS, OUTPUTS = 7, 5, 3
SYMBOLS = jnp.array([0, 4, 2, 2, 1, 3, 0])


def loud(network, seed=0):
    """Parameters at which the last layer, which starts at zero, says something."""
    noise = np.random.default_rng(seed)
    return jax.tree.map(
        lambda p: p + 0.3 * noise.standard_normal(p.shape).astype("float32"), network.init(KEY)
    )


@pytest.mark.parametrize("classes, cond", [(0, None), (3, jnp.array(2))])
def test_a_row_depends_on_all_symbols_before_it_and_on_no_other(classes, cond):
    network = causal_transformer(SIZE, LEVELS, OUTPUTS, classes, width=16, depth=2, heads=2)
    params = loud(network)
    rows = network.apply(params, SYMBOLS, cond)
    for j in range(SIZE):
        changed = network.apply(params, SYMBOLS.at[j].set((SYMBOLS[j] + 1) % LEVELS), cond)
        np.testing.assert_array_equal(changed[: j + 1], rows[: j + 1])
        assert (np.abs(changed[j + 1 :] - rows[j + 1 :]).max(1) > 1e-4).all()


@pytest.mark.parametrize("classes, cond", [(0, None), (3, jnp.array(1))])
def test_symbol_by_symbol_is_the_same_as_all_at_once(classes, cond):
    network = causal_transformer(SIZE, LEVELS, OUTPUTS, classes, width=16, depth=3, heads=4)
    params = loud(network)
    symbols, rows = network.unroll(params, lambda theta, s: (s, theta), SYMBOLS, cond)
    np.testing.assert_array_equal(symbols, SYMBOLS)
    np.testing.assert_allclose(rows, network.apply(params, SYMBOLS, cond), atol=1e-5)


def test_what_is_answered_is_what_is_read_next():
    network = causal_transformer(SIZE, LEVELS, LEVELS, width=16, depth=2, heads=2)
    params = loud(network)

    def greedy(theta, z):
        return jnp.argmax(theta + z), theta

    z = jax.random.normal(KEY, (SIZE, LEVELS))
    symbols, rows = network.unroll(params, greedy, z)
    wanted = network.apply(params, symbols)
    np.testing.assert_allclose(rows, wanted, atol=1e-5)
    np.testing.assert_array_equal(symbols, jnp.argmax(wanted + z, 1))


def test_labels_reach_every_row_and_the_start_is_zero():
    network = causal_transformer(SIZE, LEVELS, OUTPUTS, 3, width=16, depth=2, heads=2)
    assert not network.apply(network.init(KEY), SYMBOLS, jnp.array(0)).any()
    params = loud(network)
    rows = [network.apply(params, SYMBOLS, jnp.array(c)) for c in range(2)]
    assert (np.abs(rows[0] - rows[1]).max(1) > 1e-4).all()


def test_errors():
    with pytest.raises(ValueError, match="a width of 10 for 4 heads"):
        causal_transformer(4, 3, 3, width=10)
    with pytest.raises(ValueError, match="levels=0"):
        causal_transformer(4, 0, 3)
