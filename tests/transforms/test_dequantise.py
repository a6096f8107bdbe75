"""Dequantisation by a learned place in the cell, against a density whose cells can be integrated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Bound, Distribution, Exact, log_density, pushforward, sample_many
from probtransform.transforms import quantise
from probtransform.transforms.dequantise import dequantise

KEY = jax.random.key(0)
LEVELS, D, TILT = 5, 2, 0.8


def tilted():
    """Independent entries on [-1, 1] of density `(1 + TILT z) / 2`."""

    def at_quantile(p):
        return (jnp.sqrt((1 - TILT) ** 2 + 4 * TILT * p) - 1) / TILT

    def log_prob(params, key, z, cond):
        return jnp.log((1 + TILT * z) / 2).sum()

    return Distribution(
        lambda key: {},
        lambda p, key, c: at_quantile(jax.random.uniform(key, (D,))),
        Exact(log_prob),
    )


def mass(x):
    """Of an entry's cell, the integral of its density in closed form."""
    low, high = 2 * np.asarray(x) / LEVELS - 1, 2 * (np.asarray(x) + 1) / LEVELS - 1
    return ((high - low) + TILT * (high**2 - low**2) / 2) / 2


def own(sign=1.0):
    """The density within a cell, `1 + t (u - 1/2)` of `u` in [0, 1], as steep as `tilted` is there."""

    def slope(middles):
        return sign * TILT * 2 / LEVELS / (1 + TILT * middles)

    def sample(params, key, cond):
        t, p = slope(cond[0]), jax.random.uniform(key, (D,))
        return 2 * p / ((1 - t / 2) + jnp.sqrt((1 - t / 2) ** 2 + 2 * t * p))

    def log_prob(params, key, u, cond):
        return jnp.log1p(slope(cond[0]) * (u - 0.5)).sum()

    return Distribution(lambda key: {}, sample, Exact(log_prob))


def bounds(step, x, count=4000):
    model = pushforward(tilted(), cell=step)
    one = jax.jit(jax.vmap(lambda key: log_density(model, {"cell": {}}, key, x)))
    return np.asarray(one(jax.random.split(KEY, count)), np.float64)


@pytest.mark.parametrize("x", [[0, 0], [4, 1], [2, 3]])
def test_the_models_own_density_in_a_cell_makes_the_bound_exact(x):
    x = jnp.array(x)
    wanted = np.log(mass(x)).sum()
    np.testing.assert_allclose(bounds(dequantise((D,), LEVELS, own()), x), wanted, atol=1e-4)
    uniform, wrong = (
        bounds(quantise((D,), LEVELS), x),
        bounds(dequantise((D,), LEVELS, own(-1.0)), x),
    )
    assert wrong.mean() < uniform.mean() < wanted
    # a weighted mean over keys sharpens every one of them to the truth
    for seen in (uniform, wrong):
        weights = np.exp(seen)
        assert abs(weights.mean() - np.exp(wanted)) < 5 * weights.std() / len(seen) ** 0.5


def test_it_claims_a_bound_and_rounds_as_before():
    step = dequantise((D,), LEVELS, own())
    assert type(step.inverse) is Bound
    known, ours = (
        sample_many(pushforward(tilted(), cell=s), {"cell": {}}, KEY, 500)
        for s in (quantise((D,), LEVELS), step)
    )
    np.testing.assert_array_equal(known, ours)
    assert np.isneginf(bounds(step, jnp.array([5, 0]), 3)).all()
    with pytest.raises(ValueError, match="quantise: got an example of shape"):
        step.inverse.fn({}, KEY, jnp.zeros(3, jnp.int32), None)
