"""The causal network of flows: who sees whom, exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.networks.causal import causal
from probtransform.networks.made import made

KEY = jax.random.key(0)


def random_params(network):
    """No weight is zero, and none is small."""
    shapes, tree = jax.tree.flatten(jax.eval_shape(network.init, KEY))
    noise = np.random.default_rng(0)
    return tree.unflatten(
        [jnp.asarray(noise.uniform(0.5, 1.5, s.shape), jnp.float32) for s in shapes]
    )


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("size", range(1, 9))
def test_every_output_sees_all_inputs_before_it_and_no_other(size, depth):
    width = [2 * size + 3, max(1, size - 1), size + 1, 3 * size + 1][depth - 1]
    network = causal(size, 2, context=3, width=width, depth=depth, activation=lambda h: h)
    params = random_params(network)  # all positive, and nothing cancels in a linear network
    jacobian = jax.jit(jax.jacfwd(network.apply, (1, 2)))
    seen, condition = jacobian(params, jnp.ones(size), jnp.ones(3))
    triangle = np.tril(np.ones((size, size), bool), -1)[:, None]
    np.testing.assert_array_equal(seen != 0, np.broadcast_to(triangle, seen.shape))
    assert (condition != 0).all()


def test_the_condition_reaches_all_outputs_through_hidden_units_alone():
    network = causal(4, 1, context=1, width=9)
    params = random_params(network)
    params["context"][-1] = jnp.zeros_like(params["context"][-1])
    condition = jax.jacfwd(lambda c: network.apply(params, jnp.ones(4), c))(jnp.ones(1))
    assert (condition[1:] != 0).all() and (condition[0] == 0).all()


def test_it_starts_at_zero_with_hidden_units_of_unit_scale():
    network = causal(16, 3, context=2, width=480, depth=3)
    params = network.init(KEY)
    assert (network.apply(params, jnp.ones(16), jnp.ones(2)) == 0).all()
    with_none = causal(16, 3, width=480, depth=1).init(KEY)["kernel"][0]
    # a unit of the last degree reads 15 inputs, each by weights of variance 2 / 15
    np.testing.assert_allclose(jnp.var(with_none[:15, -32:]), 2 / 15, rtol=0.25)


def test_too_few_units_are_refused():
    with pytest.raises(ValueError, match="causal: got width=6 for 8 entries, wanted at least 7"):
        causal(8, 2, width=6)
    with pytest.raises(ValueError, match="made: got width=6 for 8 entries, wanted at least 7"):
        made(8, 2, width=6)
    with pytest.raises(ValueError, match="got depth=0"):
        causal(8, 2, depth=0)
