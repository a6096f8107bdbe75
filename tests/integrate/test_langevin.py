"""Langevin's kernels on normals, where every move and the stationary law are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from probtransform.integrate import langevin, mala

CHAINS = 20_000


def log_density(x):
    return -jnp.sum(x**2) / 2


def walked(kernel, steps):
    """Ends of many chains from zero, and the mean acceptance."""

    def chain(key):
        def step(x, key):
            return kernel(key, x, log_density)

        return jax.lax.scan(step, jnp.zeros(()), jax.random.split(key, steps))

    x, chance = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(0), CHAINS))
    return np.asarray(x), float(chance.mean())


@pytest.mark.parametrize("h", [0.1, 0.5])
def test_the_stationary_law_is_that_of_the_discretisation(h):
    """`v = (1 - h)^2 v + 2 h`, so `v = 1 / (1 - h / 2)`."""
    x, _ = walked(langevin(h), 60 if h < 0.3 else 20)
    wanted = 1 / (1 - h / 2)
    error = wanted * np.sqrt(2 / CHAINS)
    assert abs(x.var() - wanted) < 4 * error < abs(wanted - 1)


def test_the_correction_makes_it_exact():
    x, chance = walked(mala(0.5), 60)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / CHAINS)
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / CHAINS)
    assert 0.8 < chance < 0.99


def test_acceptance_is_the_ratio_of_metropolis_and_hastings():
    """Of densities written down by another library; every accepted end is a proposal."""
    h, x = 0.8, jnp.array([0.9, -1.7])
    for seed in range(20):
        key = jax.random.key(seed)
        end, chance = mala(h)(key, x, log_density)
        y, _ = langevin(h)(jax.random.split(key)[0], x, log_density)
        assert np.allclose(end, y) or np.allclose(end, x)
        forth = norm.logpdf(y, (1 - h) * np.asarray(x), np.sqrt(2 * h)).sum()
        back = norm.logpdf(x, (1 - h) * np.asarray(y), np.sqrt(2 * h)).sum()
        gain = norm.logpdf(y).sum() - norm.logpdf(x).sum() + back - forth
        np.testing.assert_allclose(chance, min(1.0, np.exp(gain)), rtol=1e-4)


def test_what_has_no_density_is_refused():
    def half_line(x):
        return jnp.where(x > 0, -x, jnp.nan)

    for seed in range(20):
        end, chance = mala(2.0)(jax.random.key(seed), jnp.float32(0.1), half_line)
        assert end > 0 and np.isfinite(chance)
    for kernel in (langevin, mala):
        with pytest.raises(ValueError, match="step_size=0"):
            kernel(0.0)
