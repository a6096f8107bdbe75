"""Langevin's kernels on normals, where every move and the stationary law are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from probtransform.integrate import langevin, mala

CHAINS = 160_000


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
    assert abs(x.var() - wanted) < 4 * error < min(abs(wanted - 1), 0.02)


def test_the_correction_makes_it_exact():
    x, chance = walked(mala(0.5), 60)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / CHAINS)
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / CHAINS)
    assert 0.8 < chance < 0.99


@pytest.mark.parametrize("moves", [1, 30])
def test_acceptance_is_the_ratio_of_metropolis_and_hastings(moves):
    """Of densities written down by another library, move by move, a slope taken anew at each."""
    h, key = 1.2, jax.random.key(3)
    x, chances = np.array([0.9, -1.7]), []
    for one in jax.random.split(key, moves):
        walk, accept = jax.random.split(one)
        y = np.asarray(langevin(h)(walk, jnp.asarray(x), log_density)[0])
        forth = norm.logpdf(y, (1 - h) * x, np.sqrt(2 * h)).sum()
        back = norm.logpdf(x, (1 - h) * y, np.sqrt(2 * h)).sum()
        gain = norm.logpdf(y).sum() - norm.logpdf(x).sum() + back - forth
        chances.append(min(1.0, np.exp(gain)))
        x = y if jax.random.uniform(accept) < chances[-1] else x
    end, chance = mala(h, moves)(key, jnp.array([0.9, -1.7]), log_density)
    np.testing.assert_allclose(end, x, rtol=1e-4)
    np.testing.assert_allclose(chance, np.mean(chances), rtol=1e-4)
    assert moves == 1 or 0.2 < chance < 0.8


def test_what_has_no_density_is_refused():
    def half_line(x):
        return jnp.where(x > 0, -x, jnp.nan)

    for seed in range(20):
        end, chance = mala(2.0)(jax.random.key(seed), jnp.float32(0.1), half_line)
        assert end > 0 and np.isfinite(chance)
    for kernel in (langevin, mala):
        with pytest.raises(ValueError, match="step_size=0"):
            kernel(0.0)
    with pytest.raises(ValueError, match="moves=0"):
        mala(0.1, 0)
