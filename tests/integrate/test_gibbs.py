"""Gibbs' kernel by its transition matrix, over all states."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.integrate import gibbs

STATES = np.array(list(itertools.product(range(3), repeat=2)), np.int32)


def coupled(x):
    x = x.reshape(-1)
    return 0.7 * x[0] * x[1] - 0.9 * (x[0] == 2) + 0.4 * x[1] + 5.0


def law():
    weights = np.exp([float(coupled(jnp.asarray(s))) for s in STATES])
    return weights / weights.sum()


def sweep():
    """The product of both entries' conditional draws, from the table of the law."""
    p, matrix = law().reshape(3, 3), np.zeros((9, 9))
    for (i, (_, b)), (j, (c, d)) in itertools.product(enumerate(STATES), repeat=2):
        first = p[c, b] / p[:, b].sum()
        matrix[i, j] = first * p[c, d] / p[c].sum()
    return matrix


@pytest.mark.parametrize("start", [0, 5])
def test_one_sweep_has_the_transition_matrix(key, start):
    keys = jax.random.split(key, 40_000)
    x = jnp.asarray(STATES[start]).reshape(2, 1)
    drawn, chance = jax.vmap(lambda k: gibbs(3)(k, x, coupled))(keys)
    assert drawn.dtype == x.dtype and drawn.shape == (40_000, 2, 1) and (chance == 1).all()
    seen = np.bincount(np.asarray(drawn[:, 0, 0] * 3 + drawn[:, 1, 0]), minlength=9) / 40_000
    wanted = sweep()[start]
    assert (abs(seen - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / 40_000) + 1e-9).all()
    np.testing.assert_allclose(law() @ sweep(), law(), rtol=1e-6)


def test_there_is_a_level():
    with pytest.raises(ValueError, match="levels=0"):
        gibbs(0)
