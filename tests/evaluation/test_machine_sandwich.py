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


def a_hundred(layer, hidden, scale):
    """Machines of as many seeds, their parameters stacked; one law and its masses for all."""
    machine = harmonium(layer, hidden)
    params = [drawn_machine(machine, seed, scale) for seed in range(100)]
    many = jax.tree.map(lambda *p: jnp.stack(p), *params)
    return machine, enumerated(machine, layer, hidden), log_masses(machine, hidden), many


def modes(masses) -> int:
    """Hidden states with a hundredth of the mass or more, and more than any that differs by one bit."""
    log_p = np.asarray(masses, np.float64) - logsumexp(np.asarray(masses, np.float64))
    number = np.arange(len(log_p))
    near = log_p[number[:, None] ^ (1 << np.arange(len(log_p).bit_length() - 1))]
    return ((log_p > near.max(1)) & (log_p > np.log(0.01))).sum()


@pytest.mark.parametrize(
    "seen, hidden, scale, several, temperatures, chains",
    [
        pytest.param(10, 8, 0.5, 0, 300, 64, id="easy"),
        pytest.param(20, 12, 1.0, 50, 1000, 200, id="hard", marks=pytest.mark.slow),
    ],
)
def test_a_hundred_machines_are_known_to_a_twentieth_of_a_nat(
    seen, hidden, scale, several, temperatures, chains
):
    """Weights and biases of this deviation. Of the hard machines more than half have several modes."""
    layer = bits((seen,))
    machine, law, masses, many = a_hundred(layer, hidden, scale)

    @jax.jit
    @jax.vmap
    def one(params, key):
        ends, climb = jax.random.split(key)
        exact = jax.vmap(lambda k: law.sample(params, k, None))(jax.random.split(ends, chains))
        betas = jnp.linspace(0, 1, temperatures)
        return machine_sandwich(machine, layer, params, climb, betas, chains, exact), masses(params)

    found, counted = one(many, jax.random.split(KEY, 100))
    assert sum(modes(masses) > 1 for masses in counted) >= several
    truth = logsumexp(np.asarray(counted, np.float64), axis=1)
    lower, upper = (np.asarray(side, np.float64) - truth for side in (found.lower, found.upper))
    assert abs(lower).max() < 0.05 and abs(upper).max() < 0.05
    for side, error in ((lower, found.lower_se), (upper, found.upper_se)):
        assert (abs(side) < 5 * np.asarray(error) + 1e-4).all()
    # each is a bound on average only
    assert lower.mean() < 5 * lower.std() / 10 and upper.mean() > -5 * upper.std() / 10


def test_few_temperatures_leave_a_gap_on_the_right_sides():
    """Two chains and four temperatures, of each hard machine 200 such runs: on average log Z is too low from
    below and too high from above, by errors enough."""
    layer = bits((20,))
    machine, law, masses, many = a_hundred(layer, 12, 1.0)

    def one(params, key):
        climb, *ends = jax.random.split(key, 3)
        drawn = jax.vmap(lambda k: law.sample(params, k, None))(jnp.stack(ends))
        found = machine_sandwich(machine, layer, params, climb, jnp.linspace(0, 1, 4), 2, drawn)
        return found.lower, found.upper

    runs = jax.jit(jax.vmap(jax.vmap(one, (None, 0))))(many, jax.random.split(KEY, (100, 200)))
    lower, upper = (np.asarray(side, np.float64) for side in runs)
    truth = logsumexp(np.asarray(jax.jit(jax.vmap(masses))(many), np.float64), axis=1)
    low, high = ((side.mean(1), side.std(1) / np.sqrt(200)) for side in (lower, upper))
    assert (low[0] + 5 * low[1] < truth).all() and (truth < high[0] - 5 * high[1]).all()


@pytest.mark.parametrize("layer", [symbols((3,), 4), normals((3,))], ids=["symbols", "normals"])
def test_other_units(layer):
    machine = harmonium(layer, 6)
    params = drawn_machine(machine, 3, 0.5)
    ends = sample_many(enumerated(machine, layer, 6), params, KEY, 200)
    found = machine_sandwich(machine, layer, params, KEY, BETAS, 200, ends)
    truth = logsumexp(np.asarray(log_masses(machine, 6)(params), np.float64))
    for side, error in ((found.lower, found.lower_se), (found.upper, found.upper_se)):
        assert abs(float(side) - truth) < 5 * float(error) + 1e-3 and error < 0.03
