"""Wasserstein distances against enumeration, scipy, fine grids of directions and finite differences."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from probtransform.objectives.divergences import (
    max_sliced_wasserstein,
    sliced_wasserstein,
    wasserstein,
    wasserstein_on_a_line,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 2)), 0.5 * RNG.normal(size=(40, 2)) + [1.0, 0.3]
ANGLES = np.linspace(0, np.pi, 2000, endpoint=False)
COMPASS = np.stack([np.cos(ANGLES), np.sin(ANGLES)])


def slices():
    """W_2^2 along every direction, from sorted values."""
    return ((np.sort(X @ COMPASS, 0) - np.sort(Y @ COMPASS, 0)) ** 2).mean(0)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_exact_by_enumeration(order):
    x, y = X[:6], Y[:6]
    each = [
        (np.linalg.norm(x[list(s)] - y, axis=1) ** order).mean() for s in permutations(range(6))
    ]
    assert wasserstein(jnp.asarray(x), jnp.asarray(y), order) == pytest.approx(min(each), rel=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_exact_as_scipy_and_its_slope(order):
    cost = cdist(X, Y) ** order
    with jax.enable_x64(True):
        x, y = jnp.asarray(X), jnp.asarray(Y)
        found = jax.jit(wasserstein, static_argnums=2)(x, y, order)
        assert found == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-9)
        turn = jnp.asarray(RNG.normal(size=X.shape))
        slope = jax.grad(lambda h: wasserstein(x + h * turn, y, order))(0.0)
        up, down = (wasserstein(x + h * turn, y, order) for h in (1e-6, -1e-6))
        assert slope == pytest.approx(float(up - down) / 2e-6, rel=1e-6)
        assert wasserstein(x, x[::-1], order) == pytest.approx(0, abs=1e-12)
        assert jnp.isfinite(jax.grad(wasserstein)(x, x, order)).all()


def test_on_a_line_as_scipy():
    x, y = X[:30, 0], Y[:17, 0]
    found = wasserstein_on_a_line(jnp.asarray(x), jnp.asarray(y), 1)
    assert found == pytest.approx(wasserstein_distance(x, y), rel=1e-5)


@pytest.mark.parametrize("order", [1, 1.5, 2, 4])
@pytest.mark.parametrize("n, m", [(5, 5), (6, 4), (1, 3)])
def test_on_a_line_any_order_and_numbers(order, n, m):
    """Every draw repeated until both are n m: then sorted ones meet one to one."""
    x, y = X[:n], Y[:m]
    apart = np.sort(np.repeat(x, m, 0), 0) - np.sort(np.repeat(y, n, 0), 0)
    found = wasserstein_on_a_line(jnp.asarray(x), jnp.asarray(y), order)
    np.testing.assert_allclose(found, (np.abs(apart) ** order).mean(0), rtol=1e-5)


def test_sliced_is_the_mean_of_exact_slices(key):
    each = slices()
    found = sliced_wasserstein(key, jnp.float32(X), jnp.float32(Y), 4000)
    assert abs(float(found) - each.mean()) < 4 * each.std() / np.sqrt(4000)
    assert each.std() / np.sqrt(4000) < 0.02 * each.mean()


def test_sliced_does_not_favour_an_axis(key):
    """A shift of length 2 in five dimensions, whichever way, is 4/5 away."""
    x = jnp.asarray(RNG.normal(size=(64, 5)), jnp.float32)
    for shift in (np.eye(5)[0] * 2, np.full(5, 2 / np.sqrt(5))):
        found = sliced_wasserstein(key, x, x + jnp.float32(shift), 20_000)
        assert float(found) == pytest.approx(4 / 5, rel=0.03)


def test_max_sliced_is_the_highest_slice(key):
    """The random start is but one direction, so that the ascent is what finds it."""
    x, y = jnp.float32(X), jnp.float32(Y)
    top = slices().max()
    for seed in range(5):
        found = float(max_sliced_wasserstein(jax.random.key(seed), x, y, 1, 20))
        assert 0.995 * top < found < 1.0001 * top
    assert float(sliced_wasserstein(key, x, y, 4000)) < 0.9 * top


def test_max_sliced_of_a_shift_is_all_of_it(key):
    x = jnp.asarray(RNG.normal(size=(64, 10)), jnp.float32)
    shift = jnp.asarray(RNG.normal(size=10), jnp.float32)
    found, slope = jax.value_and_grad(
        lambda s: max_sliced_wasserstein(key, x + s, x, 4, 10), argnums=0
    )(shift)
    assert float(found) == pytest.approx(float(jnp.sum(shift**2)), rel=1e-3)
    np.testing.assert_allclose(slope, 2 * shift, atol=0.05)


@pytest.mark.parametrize("distance", [sliced_wasserstein, max_sliced_wasserstein])
def test_slices_have_the_slope_of_differences(distance, key):
    with jax.enable_x64(True):
        x, y, turn = jnp.asarray(X), jnp.asarray(Y[:25]), jnp.asarray(RNG.normal(size=X.shape))

        def along(h):
            return distance(key, x + h * turn, y, 200)

        wanted = float(along(1e-6) - along(-1e-6)) / 2e-6
        rough = (
            1e-6 if distance is sliced_wasserstein else 2e-2
        )  # its best direction is found in steps
        assert jax.grad(along)(0.0) == pytest.approx(wanted, rel=rough)


def test_bad_input():
    with pytest.raises(ValueError, match=r"shapes \(40, 2\) and \(30, 2\)"):
        wasserstein(X, Y[:30])
    with pytest.raises(ValueError, match=r"order=0\.5"):
        wasserstein_on_a_line(X, Y, 0.5)
