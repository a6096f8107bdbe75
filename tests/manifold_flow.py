"""Flows on manifolds for tests: along a field that is known, from the uniform distribution."""

import jax
import jax.numpy as jnp
import numpy as np

from probtransform.core import Network, pushforward
from probtransform.distributions import uniform_on
from probtransform.transforms import geodesic_flow

KEY = jax.random.key(0)


def known(field):
    """A network that has learned `field(x, t)`."""
    return Network(lambda key: (), lambda params, x, t, cond: field(x, t))


def flowed(manifold, field, steps=32):
    return pushforward(uniform_on(manifold), velocity=geodesic_flow(known(field), manifold, steps))


def densities(model, x):
    params = {"velocity": ()}
    one = jax.jit(jax.vmap(lambda x: model.density.fn(params, KEY, x, None)))
    return np.asarray(one(jnp.asarray(x)))


def draws(manifold, n):
    return jax.vmap(manifold.uniform)(jax.random.split(KEY, n))


def bent(manifold, seed=0, size=0.5):
    """Some smooth field: waves of the embedding."""
    rng = np.random.default_rng(seed)
    k = len(manifold.embed(manifold.uniform(KEY)))
    a, b = rng.standard_normal((2, manifold.size, k)) / np.sqrt(k)

    def field(x, t):
        e = manifold.embed(x)
        return manifold.tangent(x, size * (jnp.sin(a @ e + t) + t * jnp.cos(b @ e)))

    return field
