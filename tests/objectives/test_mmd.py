"""The maximum mean discrepancy against explicit double sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.objectives.divergences import (
    energy_kernel,
    gaussian_kernel,
    inverse_multiquadric,
    mmd,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 3)), 0.5 * RNG.normal(size=(7, 3)) + 1
KERNELS = {  # ours, and the kernel of two vectors
    "gaussian": (gaussian_kernel(0.7), lambda a, b: np.exp(-((a - b) ** 2).sum() / (2 * 0.49))),
    "gaussians": (
        gaussian_kernel(0.5, 2.0),
        lambda a, b: np.mean([np.exp(-((a - b) ** 2).sum() / (2 * h**2)) for h in (0.5, 2.0)]),
    ),
    "multiquadrics": (
        inverse_multiquadric(0.6, 6.0),
        lambda a, b: np.mean([s / (s + ((a - b) ** 2).sum()) for s in (0.6, 6.0)]),
    ),
    "energy": (energy_kernel, lambda a, b: -np.sqrt(((a - b) ** 2).sum())),
}
every = pytest.mark.parametrize("kernel, of_two", KERNELS.values(), ids=KERNELS)


@every
@pytest.mark.parametrize("biased", [False, True])
def test_by_double_sums(kernel, of_two, biased):
    def mean(a, b, spare):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (spare and i == j)]
        return np.mean([of_two(a[i], b[j]) for i, j in pairs])

    wanted = mean(X, X, not biased) + mean(Y, Y, not biased) - 2 * mean(X, Y, False)
    with jax.enable_x64(True):
        found = mmd(jnp.asarray(X), jnp.asarray(Y), kernel, biased)
    assert found == pytest.approx(wanted, rel=1e-9)


@every
def test_zero_for_one_sample_and_a_slope_where_points_meet(kernel, of_two):
    with jax.enable_x64(True):
        x = jnp.asarray(X)
        assert mmd(x, x[::-1], kernel, biased=True) == pytest.approx(0, abs=1e-12)
        assert mmd(x, jnp.asarray(Y), kernel, biased=True) > 0.01
        assert jnp.isfinite(jax.grad(mmd)(x, x, kernel)).all()


def test_zero_on_average_for_one_law(key):
    """Without bias; with it, above zero by about k(0) (1/n + 1/m)."""
    kernel = gaussian_kernel(1.0)

    def one(key):
        x, y = jax.random.normal(key, (2, 10, 2))
        return mmd(x, y, kernel), mmd(x, y, kernel, biased=True)

    fair, biased = jax.vmap(one)(jax.random.split(key, 2000))
    assert abs(fair.mean()) < 4 * fair.std() / np.sqrt(2000) < 0.02
    assert biased.mean() > 0.1


def test_bad_numbers():
    with pytest.raises(ValueError, match="two or more of each"):
        mmd(X[:1], Y, energy_kernel)
    with pytest.raises(ValueError, match=r"gaussian_kernel: got \(\).*the median distance"):
        gaussian_kernel()
    squared = r"inverse_multiquadric: got \(-1.*the median squared distance"
    with pytest.raises(ValueError, match=squared):
        inverse_multiquadric(-1.0)
