"""Bodies on one example agree with Flax's own layers on a batch, in values and in gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from probtransform.core import from_nnx
from probtransform.networks import Conv, GroupNorm, Residual, SelfAttention, convnet


def of_flax(layer):
    graph, params, rest = nnx.split(layer, nnx.Param, ...)

    def apply(values, x, **options):
        state = jax.tree.map(lambda leaf: leaf, params)
        nnx.replace_by_pure_dict(state, values)
        return nnx.merge(graph, state, rest)(x, **options)

    return apply


def noisy(params, key, scale=0.3):
    """The same tree, away from its zeros and ones."""
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(key, len(leaves))
    drawn = [p + scale * jax.random.normal(k, p.shape) for p, k in zip(leaves, keys, strict=True)]
    return jax.tree.unflatten(tree, drawn)


def count(params):
    return sum(p.size for p in jax.tree.leaves(params))


def test_no_two_bodies_share_parameters(key):
    params = convnet(1, 1, width=8, depth=2).init(key)
    first, second = params["blocks"][0]["conv1"]["kernel"], params["blocks"][1]["conv1"]["kernel"]
    assert not jnp.allclose(first, second)


CASES = {
    "conv": (
        lambda rngs: Conv(6, 4, rngs),
        lambda: nnx.Conv(6, 4, (3, 3), rngs=nnx.Rngs(0)),
        (5, 7, 6),
    ),
    "conv of size 5": (
        lambda rngs: Conv(2, 3, rngs, size=5),
        lambda: nnx.Conv(2, 3, (5, 5), rngs=nnx.Rngs(0)),
        (4, 4, 2),
    ),
    "group norm": (
        lambda rngs: GroupNorm(12, 4, rngs),
        lambda: nnx.GroupNorm(12, 4, rngs=nnx.Rngs(0)),
        (5, 3, 12),
    ),
    "group norm of a sequence": (
        lambda rngs: GroupNorm(6, 1, rngs),
        lambda: nnx.GroupNorm(6, 1, rngs=nnx.Rngs(0)),
        (9, 6),
    ),
    "attention": (
        lambda rngs: SelfAttention(12, 3, rngs),
        lambda: nnx.MultiHeadAttention(3, 12, decode=False, rngs=nnx.Rngs(0)),
        (7, 12),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_example_is_a_row_of_the_batch(name, key):
    build, flax, shape = CASES[name]
    network, batched = from_nnx(build), of_flax(flax())
    params = noisy(jax.jit(network.init)(key), key)
    x = 2 + jax.random.normal(key, (3, *shape))
    mapped = jax.vmap(network.apply, (None, 0))

    def value_and_gradients(fn):
        loss = jax.value_and_grad(lambda p, x: (jnp.sin(y := fn(p, x)).sum(), y), (0, 1), True)
        (_, value), gradients = jax.jit(loss)(params, x)
        return value, gradients

    ours, theirs = value_and_gradients(mapped), value_and_gradients(batched)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), ours, theirs)
    alone = jax.jit(network.apply)(params, x[1])
    np.testing.assert_allclose(alone, ours[0][1], rtol=1e-4, atol=1e-4)


def test_initial_values_are_those_of_flax(key):
    theirs = nnx.to_pure_dict(nnx.state(nnx.Conv(6, 4, (3, 3), rngs=nnx.Rngs(key)), nnx.Param))
    ours = from_nnx(lambda rngs: Conv(6, 4, rngs)).init(key)
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_group_norm_has_mean_zero_and_deviation_one_far_from_zero(key):
    norm = from_nnx(lambda rngs: GroupNorm(4, 2, rngs))
    x = 1000 + jax.random.normal(key, (8, 8, 4))
    y = norm.apply(norm.init(key), x).reshape(64, 2, 2)
    np.testing.assert_allclose(y.mean((0, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(y.std((0, 2)), 1, rtol=1e-3)


def test_attention_does_not_know_the_order_of_places(key):
    network = from_nnx(lambda rngs: SelfAttention(8, 2, rngs))
    params, x = network.init(key), jax.random.normal(key, (6, 8))
    turned = network.apply(params, x[::-1])
    np.testing.assert_allclose(turned[::-1], network.apply(params, x), atol=1e-5)


def test_attention_over_an_image_reads_row_by_row(key):
    network = from_nnx(lambda rngs: SelfAttention(8, 2, rngs))
    params, x = network.init(key), jax.random.normal(key, (3, 2, 8))
    flat = network.apply(params, x.reshape(6, 8))
    np.testing.assert_array_equal(network.apply(params, x), flat.reshape(3, 2, 8))


def test_causal_attention_sees_nothing_ahead(key):
    network = from_nnx(lambda rngs: SelfAttention(8, 2, rngs, causal=True))
    params, x = network.init(key), jax.random.normal(key, (5, 8))
    slopes = jax.jit(jax.jacobian(lambda x: network.apply(params, x)))(x)
    seen = np.asarray(jnp.abs(slopes).sum((1, 3)) > 0)
    np.testing.assert_array_equal(seen, np.tri(5, dtype=bool))
    mask = np.tri(5, dtype=bool)
    flax = of_flax(nnx.MultiHeadAttention(2, 8, decode=False, rngs=nnx.Rngs(0)))
    np.testing.assert_allclose(network.apply(params, x), flax(params, x, mask=mask), atol=1e-5)


def test_a_residual_block_starts_as_its_shortcut(key):
    network = from_nnx(lambda rngs: Residual(4, 4, 0, 2, rngs))
    x = jax.random.normal(key, (5, 5, 4))
    np.testing.assert_array_equal(network.apply(network.init(key), x), x)
    wider = from_nnx(lambda rngs: Residual(4, 6, 3, 2, rngs))
    params = wider.init(key)
    expected = x @ params["shortcut"]["kernel"] + params["shortcut"]["bias"]
    np.testing.assert_allclose(wider.apply(params, x, jnp.ones(3)), expected, rtol=1e-5, atol=1e-5)


def test_convnet_shapes_and_parameters(key):
    network = convnet(3, 5, width=8, depth=2, context=4, groups=2)
    params = jax.jit(network.init)(key)
    for size in ((8, 8), (5, 7)):
        y = jax.jit(network.apply)(params, jnp.ones((*size, 3)), jnp.ones(4))
        assert y.shape == (*size, 5)
    conv, norm = (lambda a, b: 9 * a * b + b), 2 * 8
    block = 2 * norm + 2 * conv(8, 8) + 4 * 8 + 8
    assert count(params) == conv(3, 8) + 2 * block + norm + conv(8, 5)
    quiet = convnet(3, 5, width=8, groups=2, quiet=True)
    assert not quiet.apply(quiet.init(key), jnp.ones((4, 4, 3))).any()


def test_convnet_reads_its_context(key):
    network = convnet(1, 1, width=8, context=2, groups=2)
    params, x = noisy(network.init(key), key), jnp.ones((4, 4, 1))
    one, other = (network.apply(params, x, jnp.array(c)) for c in ([0.0, 0.0], [0.0, 1.0]))
    assert not jnp.allclose(one, other)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: convnet(1, 0), "convnet: got outputs=0"),
        (lambda: convnet(1, 1, width=30), "group norm: got 30 channels in 8 groups"),
        (lambda: from_nnx(lambda rngs: SelfAttention(10, 3, rngs)), "attention: got a width of 10"),
        (lambda: from_nnx(lambda rngs: GroupNorm(4, 0, rngs)), "group norm: got groups=0"),
    ],
)
def test_wrong_sizes_are_refused_at_construction(build, message):
    with pytest.raises(ValueError, match=message):
        build()
