"""Gradients without kept activations: those of the same layers with them, at the memory of one layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import reading
from probtransform.networks import mlp
from probtransform.transforms import coupling, stacked
from probtransform.transforms.reversible import reversible

KEY = jax.random.key(0)
D = 4


def layers(depth, classes=2):
    """Affine couplings that read half of a vector, a real condition and a label."""

    def features(x, cond):
        strength, label = cond
        return jnp.concatenate([x, strength[None], jax.nn.one_hot(label, classes)])

    network = reading(mlp(D + 1 + classes, 2 * D, 16, 2), features)
    masks = np.arange(depth)[:, None] % 2 == np.arange(D) % 2
    return (lambda mask: coupling(network, mask)), masks.astype(np.float32)


def both(depth):
    return stacked(*layers(depth)), reversible(*layers(depth))


def total(way):
    def of(params, x, strength, label):
        y, weight = way(params, KEY, x, (strength, label))
        return (jnp.sin(y) * jnp.arange(1.0, D + 1)).sum() + 0.7 * weight

    return of


def example(count):
    draw = np.random.default_rng(0)
    x = jnp.asarray(draw.normal(size=(count, D)), jnp.float32)
    return x, jnp.asarray(draw.normal(size=count), jnp.float32), jnp.arange(count) % 2


WAYS = [lambda step: step.joint, lambda step: step.inverse.fn]


@pytest.mark.parametrize("way", WAYS, ids=["joint", "inverse"])
def test_gradients_are_those_with_all_activations_kept(way):
    """Of one example, of a shared network over a batch, of a network an example, of seeds of batches."""
    known, ours = both(5)
    params = jax.tree.map(lambda p: p + 0.05, known.init(KEY))
    at = example(6)
    many = jax.vmap(known.init)(jax.random.split(KEY, 6))

    def mean(of):
        return lambda p, *at: jax.vmap(of, (None, 0, 0, 0))(p, *at).mean()

    with jax.enable_x64(True):
        params, many, at = jax.tree.map(
            lambda a: jnp.asarray(a, jnp.float64) if a.dtype.kind == "f" else jnp.asarray(a),
            jax.tree.map(np.asarray, (params, many, at)),
        )
        for seen, wanted in zip(
            *(gradients(total(way(s)), mean, params, many, at) for s in (ours, known)), strict=True
        ):
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10), seen, wanted
            )


def gradients(of, mean, params, many, at):
    numbers = (0, 1, 2)
    one = jax.tree.map(lambda a: a[0], at)
    yield jax.jit(jax.value_and_grad(of, numbers))(params, *one)
    yield jax.jit(jax.value_and_grad(mean(of), numbers))(params, *at)
    yield jax.jit(jax.vmap(jax.grad(of, numbers)))(many, *at)
    yield jax.jit(jax.vmap(jax.grad(of, numbers), (None, 0, 0, 0)))(params, *at)
    seeds = jax.vmap(jax.value_and_grad(mean(of), numbers), (0, None, None, None))
    yield jax.jit(seeds)(many, *at)


def test_values_are_those_of_stacked_layers():
    known, ours = both(3)
    params = ours.init(KEY)
    jax.tree.map(np.testing.assert_array_equal, params, known.init(KEY))
    x, strength, label = jax.tree.map(lambda a: a[0], example(1))
    cond = strength, label
    np.testing.assert_allclose(
        ours.forward(params, KEY, x, cond), known.forward(params, KEY, x, cond)
    )
    for way in WAYS:
        for a, b in zip(
            way(ours)(params, KEY, x, cond), way(known)(params, KEY, x, cond), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def scratch(step, depth):
    """Bytes that a compiled gradient over 512 examples needs besides what comes in and goes out."""

    def loss(params, x, strength, label):
        return jax.vmap(total(step.inverse.fn), (None, 0, 0, 0))(params, x, strength, label).mean()

    params = jax.eval_shape(step.init, KEY)
    compiled = jax.jit(jax.grad(loss)).lower(params, *example(512)).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def test_memory_does_not_grow_with_depth():
    (known_few, ours_few), (known_many, ours_many) = (
        [scratch(s, n) for s in both(n)] for n in (4, 64)
    )
    assert ours_many < 1.1 * ours_few
    assert known_many > 4 * known_few
