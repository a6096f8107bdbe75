"""The manifolds that tests go through, points of them, and tangents."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.paths import euclidean, product, simplex, so3, sphere, torus

ALL = {
    "sphere": sphere(2),
    "torus": torus(3),
    "rotations": so3(),
    "simplex": simplex(3),
    "space": euclidean(3),
    "product": product(sphere(1), torus(2)),
}
every = pytest.mark.parametrize("manifold", ALL.values(), ids=ALL)


def many(fn, in_axes=0):
    return jax.jit(jax.vmap(fn, in_axes))


def points(manifold, n, seed=0):
    keys = jax.random.split(jax.random.key(seed), n)
    if manifold.uniform is None:
        return many(lambda k: jax.random.normal(k, (manifold.size,)))(keys)
    return many(manifold.uniform)(keys)


def tangents(manifold, x, size=1.0, seed=0):
    w = size * np.random.default_rng(seed).standard_normal(x.shape)
    return many(manifold.project)(x, jnp.asarray(w, x.dtype))
