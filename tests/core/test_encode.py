"""Back to the base, and from one example to another through it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import (
    Event,
    Network,
    Transform,
    encode,
    initial,
    interpolate,
    pushforward,
    sample_stages,
)
from probtransform.distributions import normal
from probtransform.families.flow_matching import flow_matching
from probtransform.families.vae import vae
from probtransform.transforms import affine, implicit

TWO = pushforward(pushforward(normal((3,)), first=affine(3)), second=affine(3))
PARAMS = {
    "first": {
        "mean": jnp.array([1.0, -2.0, 0.5]),
        "log_diagonal": jnp.array([0.3, -0.2, 0.1]),
        "below": jnp.tril(jnp.ones((3, 3)), -1),
    },
    "second": {
        "mean": jnp.array([0.0, 1.0, 2.0]),
        "log_diagonal": jnp.zeros(3),
        "below": -jnp.tril(jnp.ones((3, 3)), -1),
    },
}


def test_encoding_solves_both_linear_maps(key):
    x = jnp.array([0.3, -1.0, 2.0])
    lower = np.array([[np.exp(0.3), 0, 0], [1, np.exp(-0.2), 0], [1, 1, np.exp(0.1)]])
    second = np.array([[1.0, 0, 0], [-1, 1, 0], [-1, -1, 1]])
    between = np.linalg.solve(second, np.asarray(x) - [0, 1, 2])
    z = np.linalg.solve(lower, between - [1, -2, 0.5])
    np.testing.assert_allclose(encode(TWO, PARAMS, key, x), z, rtol=1e-5, atol=1e-6)


def test_a_flow_carries_back_what_it_carried(key):
    model = flow_matching(Event((2,)), width=8, depth=1)
    params = jax.tree.map(lambda p: p + 0.3, initial(model, key))
    *_, x = sample_stages(model.distribution, params, key, None, jnp.array([0.4, -1.2]))
    z = encode(model.distribution, params, key, x)
    assert jnp.abs(x - jnp.array([0.4, -1.2])).max() > 0.1  # it moved
    np.testing.assert_allclose(z, [0.4, -1.2], atol=1e-4)


def test_an_encoder_is_drawn_from(key):
    model = vae(Event((2,)), latent=1, width=8)
    params = initial(model, key)
    keys = jax.random.split(key, 4000)
    z = jax.vmap(lambda k: encode(model.distribution, params, k, jnp.ones(2)))(keys)
    # the encoder's last layer is zero at first: mean 0 and log-scale 0
    assert abs(z.mean()) < 4 / 4000**0.5 and abs(z.std() - 1) < 0.05


def test_a_step_without_a_way_back_is_named(key):
    body = Network(lambda key: {}, lambda params, z, cond=None: 2 * z)
    generated = pushforward(normal((2,)), generator=implicit(body))
    for lost in (generated, pushforward(generated, more=affine(2))):
        with pytest.raises(ValueError, match="way back"):
            encode(lost, {}, key, jnp.zeros(2))


def test_interpolation_keeps_its_ends_and_the_arc(key):
    scaled = Transform(
        lambda key: {},
        lambda p, k, z, c=None: 2 * z,
        affine(2).inverse.__class__(lambda p, k, x, c=None: (x / 2, 0.0)),
    )
    doubled = pushforward(normal((2,)), twice=scaled)
    x, y = jnp.array([2.0, 0.0]), jnp.array([0.0, 2.0])
    seen = interpolate(doubled, {"twice": {}}, key, (x, y), [0.0, 1 / 3, 0.5, 1.0])
    angles = np.array([0.0, 1 / 3, 0.5, 1.0]) * np.pi / 2
    np.testing.assert_allclose(seen, 2 * np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-5)


def test_between_equal_ends_nothing_moves(key):
    x = jnp.array([1.0, 2.0, 3.0])
    seen = interpolate(TWO, PARAMS, key, (x, x), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(seen, jnp.tile(x, (3, 1)), atol=2e-3)
