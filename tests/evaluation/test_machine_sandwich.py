"""The constants of a hundred random machines, counted and annealed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from probtransform.core import sample_many
from probtransform.distributions.harmonium import enumerated, harmonium, log_masses
from probtransform.distributions.layer import bits, normals, symbols
from probtransform.evaluation import machine_sandwich

KEY = jax.random.key(0)
BETAS = jnp.linspace(0, 1, 300)


def drawn_machine(machine, seed, scale):
    """Random weights and biases, centres at random means."""
    noise, params = np.random.default_rng(seed), machine.init(KEY)
    own = {n: scale * noise.normal(size=p.shape) for n, p in params["machine"].items()}
    centre = {"visible": noise.uniform(0.2, 0.8, params["centre"]["visible"].shape)}
    params = {"machine": own, "centre": params["centre"] | centre}
    return jax.tree.map(lambda p: jnp.asarray(p, jnp.float32), params)


def test_a_hundred_machines_are_known_to_a_twentieth_of_a_nat():
    layer, hidden = bits((10,)), 8
    machine, count = harmonium(layer, hidden), 100
    law, masses = enumerated(machine, layer, hidden), log_masses(machine, hidden)
    params = [drawn_machine(machine, seed, 0.5) for seed in range(count)]
    many = jax.tree.map(lambda *p: jnp.stack(p), *params)

    @jax.jit
    @jax.vmap
    def one(params, key):
        ends, climb = jax.random.split(key)
        exact = jax.vmap(lambda k: law.sample(params, k, None))(jax.random.split(ends, 64))
        return machine_sandwich(machine, layer, params, climb, BETAS, 64, exact), masses(params)

    found, counted = one(many, jax.random.split(KEY, count))
    truth = logsumexp(np.asarray(counted, np.float64), axis=1)
    lower, upper = (np.asarray(side, np.float64) - truth for side in (found.lower, found.upper))
    assert abs(lower).max() < 0.05 and abs(upper).max() < 0.05
    for side, error in ((lower, found.lower_se), (upper, found.upper_se)):
        assert (abs(side) < 5 * np.asarray(error) + 1e-4).all()
    # each is a bound on average only
    assert lower.mean() < 5 * lower.std() / 10 and upper.mean() > -5 * upper.std() / 10


def test_few_temperatures_leave_a_gap_on_the_right_sides():
    """Two chains and four temperatures: log Z by 400 such runs is too low from below, too high from above."""
    layer = bits((12,))
    machine = harmonium(layer, 8)
    params, law = drawn_machine(machine, 0, 1.5), enumerated(machine, layer, 8)

    @jax.jit
    @jax.vmap
    def one(key):
        climb, *ends = jax.random.split(key, 3)
        drawn = jax.vmap(lambda k: law.sample(params, k, None))(jnp.stack(ends))
        found = machine_sandwich(machine, layer, params, climb, jnp.linspace(0, 1, 4), 2, drawn)
        return found.lower, found.upper

    lower, upper = (np.asarray(side, np.float64) for side in one(jax.random.split(KEY, 400)))
    truth = logsumexp(np.asarray(log_masses(machine, 8)(params), np.float64))
    low, high = ((side.mean(), side.std() / 20) for side in (lower, upper))
    assert low[0] + 5 * low[1] < truth < high[0] - 5 * high[1]


@pytest.mark.parametrize("layer", [symbols((3,), 4), normals((3,))], ids=["symbols", "normals"])
def test_other_units(layer):
    machine = harmonium(layer, 6)
    params = drawn_machine(machine, 3, 0.5)
    ends = sample_many(enumerated(machine, layer, 6), params, KEY, 200)
    found = machine_sandwich(machine, layer, params, KEY, BETAS, 200, ends)
    truth = logsumexp(np.asarray(log_masses(machine, 6)(params), np.float64))
    for side, error in ((found.lower, found.lower_se), (found.upper, found.upper_se)):
        assert abs(float(side) - truth) < 5 * float(error) + 1e-3 and error < 0.03
