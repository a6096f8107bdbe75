"""The encoder of images: small, of the shape it says, and refused where sides cannot be halved twice."""

import jax
import numpy as np
import pytest

from probtransform.networks import encoder


def test_it_has_the_size_and_shape_it_says(key):
    body = encoder((28, 28, 1))
    params = body.init(key)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1)).astype(np.float32)
    found = jax.jit(jax.vmap(body.apply, (None, 0)))(params, images)
    assert found.shape == (3, 128) and np.abs(found[0] - found[1]).max() > 0.01
    assert 90_000 < sum(p.size for p in jax.tree.leaves(params)) < 110_000


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(30, 28, 1\) .* divisible by 4"):
        encoder((30, 28, 1))
    with pytest.raises(ValueError, match="width=20"):
        encoder((28, 28, 1), width=20)
