"""Tempering of two wells a barrier apart, against quadrature; and a walk alone, which stays where it was."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

from probtransform.integrate import mala, tempering

BETAS = (1.0, 0.4, 0.15)
STEPS, LADDERS = 300, 2000
GRID = np.linspace(-3, 3, 20_001)


def log_density(x):
    """Wells at -1 and 1, the right one deeper; the barrier is 12 nats high."""
    return -12 * (x**2 - 1) ** 2 + 0.8 * x


def law(beta):
    """`(density, CDF)` on the grid, by quadrature."""
    p = np.exp(beta * log_density(GRID))
    p /= p.sum()
    return p, np.cumsum(p)


def drawn(rng, beta, count):
    return np.interp(rng.random(count), law(beta)[1], GRID)


def walked(kernel, x, steps):
    def chain(key, x):
        def step(x, key):
            return kernel(key, x, log_density)

        return jax.lax.scan(step, x, jax.random.split(key, steps))

    keys = jax.random.split(jax.random.key(0), len(x))
    ends, chance = jax.jit(jax.vmap(chain))(keys, jnp.asarray(x, jnp.float32))
    return np.asarray(ends), np.asarray(chance)


def ladder(beta):
    return mala(0.02 / beta)


def test_every_rung_stays_in_its_law():
    """Exact draws of each rung, walked and swapped, are draws of each rung still."""
    rng = np.random.default_rng(0)
    x = np.stack([drawn(rng, beta, 5000) for beta in BETAS], 1)
    ends, _ = walked(tempering(ladder, BETAS), x, 20)
    for i, beta in enumerate(BETAS):
        cdf = law(beta)[1]
        assert kstest(ends[:, i], lambda v, cdf=cdf: np.interp(v, GRID, cdf)).pvalue > 1e-3


def test_swaps_are_accepted_as_often_as_they_should():
    """`E min(1, p_i(y) p_j(x) / p_i(x) p_j(y))` over both laws, a double integral."""
    rng = np.random.default_rng(1)
    betas = BETAS[:2]
    x = np.stack([drawn(rng, beta, 20_000) for beta in betas], 1)
    _, chance = walked(tempering(ladder, betas), x, 1)
    few = slice(None, None, 20)
    p, q = (law(beta)[0][few] / law(beta)[0][few].sum() for beta in betas)
    energy = log_density(GRID[few])
    gain = (betas[0] - betas[1]) * (energy[None, :] - energy[:, None])
    wanted = p @ np.exp(np.minimum(gain, 0)) @ q
    assert 0.2 < wanted < 0.8
    assert abs(chance.mean() - wanted) < 4 * chance.std() / np.sqrt(chance.size)


def test_a_ladder_crosses_where_a_walk_alone_does_not():
    """All begin in the shallow well; quadrature says how many belong in the deep one."""
    p, _ = law(1.0)
    wanted = p[GRID > 0].sum()
    ends, _ = walked(tempering(ladder, BETAS), -np.ones((LADDERS, len(BETAS))), STEPS)
    alone, _ = walked(mala(0.02), -np.ones(LADDERS), STEPS * len(BETAS))
    error = np.sqrt(wanted * (1 - wanted) / LADDERS)
    assert abs((ends[:, 0] > 0).mean() - wanted) < 4 * error
    assert (alone > 0).mean() < wanted / 10
    mean, spread = p @ GRID, np.sqrt(p @ GRID**2 - (p @ GRID) ** 2)
    assert abs(ends[:, 0].mean() - mean) < 4 * spread / np.sqrt(LADDERS)


def test_what_has_no_density_trades_no_place():
    def half_line(x):
        return jnp.where(x > 0, -x, jnp.nan)

    def stay(beta):
        return lambda key, x, log_density: (x, jnp.ones(()))

    x = jnp.asarray([1.0, -1.0, 2.0])
    ends, chance = tempering(stay, BETAS)(jax.random.key(0), x, half_line)
    np.testing.assert_array_equal(ends, x)
    assert chance == 0


@pytest.mark.parametrize("betas", [(1.0,), (0.9, 0.5), (1.0, 0.0), (1.0, 1.0), (1.0, 0.2, 0.5)])
def test_ladders_that_do_not_fall_are_refused(betas):
    with pytest.raises(ValueError, match="fall from 1"):
        tempering(ladder, betas)
