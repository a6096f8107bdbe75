"""Constants on levels: machines too large to be counted from above, and any energy of few levels."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from probtransform.core import Batch, Distribution, Event, Unnormalized, log_density_many
from probtransform.evaluation import evaluate
from probtransform.evaluation.histogram_ladder import histogram_ladder
from probtransform.evaluation.interval import bits_interval
from probtransform.families import registry

KEY = jax.random.key(0)
D, HIDDEN, CLASSES = 8, 24, 3
STATES = jnp.asarray(list(itertools.product([0, 1], repeat=D)), jnp.uint8)


def machine(classes):
    """One with more hidden units than can be counted, and few visible ones, whose states can be."""
    model = registry["rbm"].build(Event((D,), 2, classes), hidden=HIDDEN, sweeps=100)
    noise = np.random.default_rng(0)
    params = jax.tree.map(
        lambda p: jnp.asarray(p + 0.4 * noise.normal(size=p.shape), jnp.float32),
        model.distribution.init(KEY),
    )
    params["centre"]["visible"] = jnp.full(D, 0.4)
    return model, params


def bits_of(model, params, batch):
    """Exact, every visible state counted, label by label."""

    def counted(label):
        told = None if label is None else jnp.full(len(STATES), label)
        found = log_density_many(model.distribution, params, KEY, STATES, told)
        return logsumexp(np.asarray(found, np.float64))

    nats = np.asarray(
        log_density_many(model.distribution, params, KEY, batch.x, batch.cond), np.float64
    )
    if batch.cond is None:
        constant = counted(None)
    else:
        constant = np.array([counted(i) for i in range(CLASSES)])[np.asarray(batch.cond)]
    return (constant - nats).mean() / (D * math.log(2))


def some(seed, count=200):
    x = np.random.default_rng(seed).random((count, D)) < np.linspace(0.2, 0.8, D)
    return jnp.asarray(x, jnp.uint8)


def test_evaluate_tells_the_bits_of_a_machine_that_cannot_be_counted():
    model, params = machine(0)
    train, test = Batch(some(1)), Batch(some(2))
    seen = evaluate(model, params, Event((D,), levels=2), train, test, KEY)
    exact = bits_of(model, params, test)
    assert seen["claim"] == "Unnormalized"
    assert seen["bits_per_dim_low"] <= exact <= seen["bits_per_dim_high"]
    assert seen["bits_per_dim_high"] - seen["bits_per_dim_low"] < 0.05
    assert seen["bits_per_dim_kind"] == "interval (annealed)"


def test_every_label_has_a_constant_of_its_own():
    model, params = machine(CLASSES)
    batch = Batch(some(2), jnp.arange(200) ** 2 % CLASSES % 2 * 2)  # the first and the last alone
    found = bits_interval(model.distribution, params, KEY, batch, some(1), some(3))
    assert found.log_z.lower.shape == (2,) and abs(np.diff(found.log_z.lower)) > 0.5
    assert found.low <= bits_of(model, params, batch) <= found.high
    assert found.high - found.low < 0.05


def test_any_energy_of_few_levels_is_annealed():
    """A ring of three-level spins that like their neighbours, its states counted."""
    spins = np.array(list(itertools.product(range(3), repeat=5)))

    def log_f(x):
        return 0.7 * (x == jnp.roll(x, 1)).sum() + 0.5 * (x[0] == 2) + 9.0

    law = np.asarray(jax.vmap(log_f)(spins), np.float64)
    p = np.exp(law - logsumexp(law))

    def sample(params, key, cond=None):
        at = jax.random.choice(key, len(spins), p=jnp.asarray(p, jnp.float32))
        return jnp.asarray(spins, jnp.uint8)[at]

    energy = Distribution(
        lambda key: {}, sample, Unnormalized(lambda params, key, x, cond=None: log_f(x))
    )
    drawn = jax.vmap(lambda k: sample({}, k))(jax.random.split(KEY, 300))
    found = bits_interval(energy, {}, KEY, Batch(drawn), drawn, drawn, temperatures=100)
    exact = (
        (logsumexp(law) - np.asarray(jax.vmap(log_f)(drawn), np.float64).mean()) / 5 / math.log(2)
    )
    assert found.low <= exact <= found.high and found.high - found.low < 0.05
    assert found.log_z.lower == pytest.approx(logsumexp(law), abs=0.1)


def test_the_ladder_begins_at_draws_of_the_histograms():
    """Shares of 0, 1, 2 in two entries, one example added to each level."""
    near = np.array([[0, 2]] * 6 + [[1, 2]] * 2, np.uint8)
    shares = np.array([[7, 3, 1], [1, 1, 9]]) / 11
    law = Distribution(
        lambda key: {}, None, Unnormalized(lambda params, key, x, cond=None: 0.0 * x[0])
    )
    ladder = histogram_ladder(law, KEY, near, 3)
    drawn = jax.vmap(lambda key: ladder.start({}, key))(jax.random.split(KEY, 8000))
    for i in range(2):
        found = np.bincount(drawn[:, i], minlength=3) / 8000
        assert (abs(found - shares[i]) < 5 * np.sqrt(shares[i] * (1 - shares[i]) / 8000)).all()
    at = np.array([ladder.log_density({}, 0.0, jnp.array(x), None) for x in ([0, 1], [2, 2])])
    np.testing.assert_allclose(at, np.log([7 / 121, 9 / 121]), rtol=1e-5)
