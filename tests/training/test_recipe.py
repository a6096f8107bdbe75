"""The optimizer of a recipe, against the schedule it names."""

import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.training import Average, Recipe, optimizer


def updates(recipe, gradients, p=0.0):
    """The updates of one parameter that is held still."""
    tx, p = optimizer(recipe), jnp.asarray(p)
    state, seen = tx.init(p), []
    for g in gradients:
        step, state = tx.update(jnp.asarray(g), state, p)
        seen.append(float(step))
    assert isinstance(state[-1], Average)
    return np.array(seen)


def test_warm_up_is_linear_and_then_a_cosine_falls_to_zero():
    """Adam of a constant gradient moves by the learning rate."""
    t = np.arange(101)
    rate = np.where(t < 10, t / 10, (1 + np.cos(np.pi * (t - 10) / 90)) / 2)
    got = updates(Recipe(steps=100, rate=0.01), np.full(101, 0.5))
    np.testing.assert_allclose(got, -0.01 * rate, atol=1e-7)


def test_without_momentum_a_gradient_is_forgotten_at_once():
    """After it turns round, the next update follows the new one alone; with momentum, still the old."""
    turned = np.array([1e-3] * 10 + [-1e-3])
    without, usual = (updates(Recipe(steps=11, momentum=m), turned)[-1] for m in (0.0, 0.9))
    assert without > 0 > usual


def test_a_loud_gradient_is_clipped():
    loud, plain = ([1.0] * 5 + [g] + [1.0] * 4 for g in (1e6, 1.0))
    np.testing.assert_array_equal(*(updates(Recipe(steps=10, clip=1.0), g) for g in (loud, plain)))
    assert (updates(Recipe(steps=10, clip=1e9), loud) != updates(Recipe(steps=10), plain)).any()


def test_weight_decay_pulls_to_zero():
    plain, decayed = (
        updates(Recipe(steps=5, weight_decay=w), [1.0] * 5, p=3.0) for w in (0.0, 0.1)
    )
    np.testing.assert_allclose(decayed, plain * (1 + 0.1 * 3.0), rtol=1e-5)


@pytest.mark.parametrize("steps", [0, 1, 9])
def test_short_runs_have_a_schedule_too(steps):
    got = updates(Recipe(steps=steps, rate=0.01), [1.0] * max(steps, 1))
    assert got[0] == pytest.approx(-0.01, rel=1e-4) and np.isfinite(got).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": -1},
        {"batch": 0},
        {"rate": 0.0},
        {"rate": float("inf")},
        {"weight_decay": -1.0},
        {"weight_decay": float("nan")},
        {"average": 1.0},
        {"clip": float("nan")},
        {"momentum": 1.0},
    ],
)
def test_numbers_that_cannot_train_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"recipe: got {name}={value}, wanted"):
        Recipe(**wrong)
