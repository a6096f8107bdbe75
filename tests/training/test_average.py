"""The average of parameters, as the weighted sum it stands for."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from test_learner import BATCH, KEY, game

from probtransform.training import average, averaged, learner


def weights(decay, updates):
    """How much of `p_0 .. p_N` the mean holds: `(1 - d_n) prod_{m > n} d_m`, the rest with `p_0`."""
    d = np.minimum(decay, (1 + np.arange(updates)) / (10 + np.arange(updates)))
    later = np.append(np.cumprod(d[::-1])[::-1], 1.0)
    return np.append(later[0], (1 - d) * later[1:])


@pytest.mark.parametrize("decay, updates", [(0.0, 3), (0.5, 30), (0.99, 30)])
def test_the_mean_is_the_weighted_sum_of_all_parameters(decay, updates):
    tx = optax.chain(optax.sgd(0.1), average(decay))
    p, path = jnp.array([1.0, -2.0]), [np.array([1.0, -2.0])]
    state = tx.init(p)
    for n in range(updates):
        step, state = tx.update(jnp.array([1.0, float(n)]), state, p)
        p = optax.apply_updates(p, step)
        path.append(np.asarray(p))
    assert weights(decay, updates).sum() == pytest.approx(1)
    np.testing.assert_allclose(state[-1].mean, weights(decay, updates) @ path, rtol=1e-5, atol=1e-6)


def test_the_ramp_soon_forgets_the_beginning():
    assert weights(0.9999, 100)[0] < 1e-12
    assert 0.9999**100 > 0.98


def test_the_average_leaves_the_updates_alone():
    gradient = jnp.array([0.3])
    with_it = optax.chain(optax.sgd(0.1), average(0.9))
    step, _ = with_it.update(gradient, with_it.init(gradient), gradient)
    np.testing.assert_array_equal(step, -0.1 * gradient)


def test_averaged_replaces_what_a_player_averages_and_nothing_else():
    learn = learner(
        game(), {"critic": optax.chain(optax.sgd(0.1), average(0.0)), "generator": optax.sgd(0.1)}
    )
    state = learn.init(KEY)
    for _ in range(3):
        state, _ = learn.step(state, KEY, BATCH)
    mean = jax.tree.map(lambda c: c + 1, state.opt["critic"][-1].mean)
    state.opt["critic"] = (*state.opt["critic"][:-1], state.opt["critic"][-1]._replace(mean=mean))
    found = averaged(state)
    assert found == state.params | {"c": state.params["c"] + 1}


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_outside_the_unit_interval_is_refused(decay):
    with pytest.raises(ValueError, match=r"average: got decay=.*, wanted a number in \[0, 1\)"):
        average(decay)
