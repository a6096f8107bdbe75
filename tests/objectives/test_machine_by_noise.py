"""A Boltzmann machine that learns by telling data from noise: its constant is a parameter, and is counted."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import logsumexp

from probtransform.core import (
    Batch,
    Distribution,
    Exact,
    Model,
    Player,
    log_density_many,
)
from probtransform.distributions import bernoulli
from probtransform.distributions.harmonium import chained, harmonium
from probtransform.distributions.layer import bits
from probtransform.objectives.noise_contrastive import noise_contrastive, normaliser
from probtransform.training import fit

KEY = jax.random.key(0)
D, HIDDEN = 5, 4
LAYER = bits((D,))
MACHINE = harmonium(LAYER, HIDDEN)
STATES = jnp.asarray(list(itertools.product([0, 1], repeat=D)), jnp.uint8)


PATTERNS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])


@pytest.fixture(scope="module")
def data():
    """Two patterns, each bit turned over with probability .1: the law is known."""
    noise = np.random.default_rng(0)
    x = PATTERNS[noise.integers(0, 2, 20_000)] ^ (noise.random((20_000, D)) < 0.1)
    near = (np.asarray(STATES)[:, None] == PATTERNS).sum(-1)
    return Batch(jnp.asarray(x, jnp.uint8)), np.log((0.9**near * 0.1 ** (D - near)).mean(1))


def coins(x) -> Distribution[Exact]:
    """Bits that are independent, each as often on as in the data: the noise."""
    share = jnp.asarray(x, jnp.float32).mean(0)
    logits, law = jnp.log(share / (1 - share)), bernoulli((D,))
    return Distribution(
        lambda key: {},
        lambda params, key, cond=None: law.sample(logits, key),
        Exact(lambda params, key, x, cond=None: law.log_prob(logits, x)),
    )


def test_the_constant_that_is_learned_is_the_one_that_is_counted(data):
    batch, log_p = data
    energy = normaliser(chained(MACHINE, LAYER, 5))
    loss = noise_contrastive(energy, coins(batch.x), ratio=5)
    model = Model(energy, {"machine": Player(("machine", "constant"), loss)})
    run = fit(
        model, optax.adam(optax.cosine_decay_schedule(5e-2, 2000)), batch, steps=2000, batch=500
    )
    params = run.state.params
    found = np.asarray(log_density_many(energy, params, KEY, STATES), np.float64)
    # `found` is log f - c: its sum is Z / e^c, one where the constant is right
    assert abs(logsumexp(found)) < 0.03
    plain = MACHINE.free_energy
    log_z = logsumexp(-np.asarray(jax.vmap(plain, (None, 0))(params, STATES), np.float64))
    assert abs(float(params["constant"]) - log_z) < 0.03 and abs(log_z) > 0.5
    p = np.exp(log_p)
    assert 0 <= p @ (log_p - (found - logsumexp(found))) < 0.03  # KL, nats
    independent = np.asarray(log_density_many(coins(batch.x), {}, KEY, STATES), np.float64)
    assert p @ (log_p - independent) > 0.3
