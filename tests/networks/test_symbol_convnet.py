"""The network of symbols: convolutions as the library's, what it reads, what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.networks.symbol_convnet import around, symbol_convnet

KEY = jax.random.key(0)
SHAPE, LEVELS, STATES = (4, 5, 2), 3, 4


def shaken(net):
    params = net.init(KEY)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(KEY, len(leaves))
    moved = [p + 0.3 * jax.random.normal(k, p.shape) for p, k in zip(leaves, keys, strict=True)]
    return jax.tree.unflatten(tree, moved)


def test_a_product_with_all_neighbours_is_a_convolution():
    x = jax.random.normal(KEY, (4, 5, 3))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 3, 6))
    wanted = jax.lax.conv_general_dilated(
        x[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )[0]
    np.testing.assert_allclose(around(x) @ kernel.reshape(27, 6), wanted, atol=1e-5)


def test_it_starts_with_every_symbol_alike():
    net = symbol_convnet(SHAPE, LEVELS, STATES, width=8, depth=2)
    x = jax.random.randint(KEY, (40,), 0, STATES)
    logits = net.apply(net.init(KEY), x, jnp.float32(0.3), None)
    assert logits.shape == (40, LEVELS) and (logits == 0).all()


def test_an_entry_reads_those_within_reach_time_and_label():
    """Two blocks reach two places away, over both channels, and no further."""
    net = symbol_convnet(SHAPE, LEVELS, STATES, classes=3, width=8, depth=2)
    params = shaken(net)
    apply = jax.jit(lambda x, t, c: net.apply(params, x, t, c).reshape(*SHAPE, LEVELS))
    x, t = jnp.zeros(40, jnp.int32), jnp.float32(0.3)
    first = apply(x, t, 0)
    for channel in range(2):
        for symbol in range(1, STATES):
            moved = jnp.abs(apply(x.at[channel].set(symbol), t, 0) - first).max((2, 3)) > 1e-5
            wanted = np.zeros((4, 5), bool)
            wanted[:3, :3] = True
            np.testing.assert_array_equal(moved, wanted)
    assert jnp.abs(apply(x, jnp.float32(0.9), 0) - first).min() > 1e-6
    assert jnp.abs(apply(x, t, 1) - first).min() > 1e-6


def test_bad_numbers():
    with pytest.raises(ValueError, match="depth=0"):
        symbol_convnet(SHAPE, LEVELS, STATES, depth=0)
    with pytest.raises(ValueError, match="2 states"):
        symbol_convnet(SHAPE, LEVELS, 2)
