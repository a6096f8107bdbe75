"""Deep Boltzmann machines so small that every state of every layer can be written down."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import entr, expit, logsumexp

from probtransform.core import log_density, sample_many
from probtransform.distributions.forgetting import forgetting
from probtransform.distributions.harmonium import chained, enumerated, harmonium, log_masses
from probtransform.distributions.layer import beside, bits
from probtransform.distributions.mean_field import above_by_mean_field, mean_field
from probtransform.distributions.tempered import TemperedBound
from probtransform.evaluation import machine_sandwich

KEY = jax.random.key(0)
D, HIDDEN, TOP = 4, 3, 3
PAIR = beside(bits((D,)), bits((TOP,)))
MACHINE = harmonium(PAIR, HIDDEN)
LAW = forgetting(enumerated(MACHINE, PAIR, HIDDEN), above_by_mean_field(MACHINE, TOP))


def every(n):
    return np.array(list(itertools.product([0, 1], repeat=n)))


V, H, T = every(D), every(HIDDEN), every(TOP)


@pytest.fixture(scope="module")
def params():
    noise = np.random.default_rng(0)
    start = MACHINE.init(KEY)
    own = {n: noise.normal(size=p.shape) for n, p in start["machine"].items()}
    centre = {n: noise.uniform(size=p.shape) for n, p in start["centre"].items()}
    as32 = lambda block: {n: jnp.asarray(p, jnp.float32) for n, p in block.items()}  # noqa: E731
    return {"machine": as32(own), "centre": as32(centre)}


@pytest.fixture(scope="module")
def weights(params):
    """`W, U, a, b, c` of `E = -(v a + h b + t c + v W h + h U t)`, centres multiplied out, in float64."""
    own, centre = ({n: np.asarray(p, np.float64) for n, p in b.items()} for b in params.values())
    odd = own["visible"] - own["weights"] @ centre["hidden"]
    even = own["hidden"] - centre["visible"] @ own["weights"]
    return own["weights"][:D], own["weights"][D:].T, odd[:D], even, odd[D:]


@pytest.fixture(scope="module")
def states(weights):
    """`-E(v, h, t)` of every state, `[16, 8, 8]`."""
    w, u, a, b, c = weights
    alone = (V @ a)[:, None, None] + (H @ b)[:, None] + T @ c
    return alone + (V @ w @ H.T)[:, :, None] + H @ u @ T.T


@pytest.fixture(scope="module")
def joint(states):
    return states - logsumexp(states)


def shares(drawn, states):
    return (np.asarray(drawn)[:, None] == states).all(-1).mean(0)


def near(found, p, count):
    assert (abs(found - p) < 5 * np.sqrt(p / count)).all()


def free_energy_bound(q_h, q_t, v, weights):
    """`E_q[-E(v, h, t)] + H(q)` of independent units, and nothing of the constant."""
    w, u, a, b, c = weights
    told = v @ a + q_h @ b + q_t @ c + v @ w @ q_h + q_h @ u @ q_t
    return told + sum((entr(q) + entr(1 - q)).sum() for q in (q_h, q_t))


def test_mean_field_is_a_fixed_point_and_the_best_of_its_kind(params, weights, states, joint):
    """Each mean is that of its unit given the others'; no other means near it bound the likelihood better."""
    w, u, _, b, c = weights
    log_z = logsumexp(states)
    noise, exact = np.random.default_rng(1), logsumexp(joint, (1, 2))
    logits = jax.jit(mean_field(MACHINE, TOP, 100))
    for i, v in enumerate(V):
        q_h, q_t = (expit(np.asarray(x, np.float64)) for x in logits(params, v.astype(np.uint8)))
        np.testing.assert_allclose(q_h, expit(b + v @ w + u @ q_t), atol=1e-5)
        np.testing.assert_allclose(q_t, expit(c + q_h @ u), atol=1e-5)
        best = free_energy_bound(q_h, q_t, v, weights)
        assert best - log_z < exact[i] + 1e-5
        for _ in range(20):
            moved = [np.clip(q + 0.1 * noise.normal(size=3), 1e-6, 1 - 1e-6) for q in (q_h, q_t)]
            assert free_energy_bound(*moved, v, weights) < best + 1e-9


def test_more_updates_are_never_worse(weights, params):
    v = V[11]
    found = []
    for updates in (1, 2, 3, 5, 10, 30):
        logits = mean_field(MACHINE, TOP, updates)(params, v.astype(np.uint8))
        found.append(
            free_energy_bound(*(expit(np.asarray(x, np.float64)) for x in logits), v, weights)
        )
    assert (np.diff(found) > -1e-6).all() and found[-1] > found[0] + 1e-4


def test_the_bound_lies_between_that_of_mean_field_and_the_truth(params, weights, states, joint):
    """Its mean over q(t), summed over all t, is what many keys find; its exponential has mean p(v)."""
    keys = jax.random.split(KEY, 4000)
    many = jax.jit(jax.vmap(lambda v, k: log_density(LAW, params, k, v), (None, 0)))
    logits = mean_field(MACHINE, TOP)
    exact, of_pairs = logsumexp(joint, (1, 2)), logsumexp(joint, 1)
    log_z = logsumexp(states)
    for i in (0, 5, 11, 15):
        v = jnp.asarray(V[i], jnp.uint8)
        q_h, q_t = (expit(np.asarray(x, np.float64)) for x in logits(params, v))
        q = np.prod(np.where(T == 1, q_t, 1 - q_t), -1)
        wanted = q @ (of_pairs[i] - np.log(q))
        found = np.asarray(many(v, keys), np.float64)
        assert abs(found.mean() - wanted) < 5 * found.std() / np.sqrt(4000) + 1e-5
        assert free_energy_bound(q_h, q_t, V[i], weights) - log_z < wanted < exact[i]
        mass = np.exp(found)
        assert abs(mass.mean() - np.exp(exact[i])) < 5 * mass.std() / np.sqrt(4000)


def test_odd_layers_then_even_ones_leave_the_law_alone(params, joint):
    count = 20_000
    pairs = np.array([[*v, *t] for v in V for t in T])
    p = np.exp(logsumexp(joint, 1)).reshape(-1)
    drawn = sample_many(enumerated(MACHINE, PAIR, HIDDEN), params, KEY, count, chunk=count)
    keys = jax.random.split(jax.random.key(1), count)
    swept = jax.jit(jax.vmap(MACHINE.sweep, (None, 0, 0)))(params, keys, drawn)
    for pair in (drawn, swept):
        near(shares(np.concatenate(pair, 1), pairs), p, count)
    near(shares(swept[0], V), np.exp(logsumexp(joint, (1, 2))), count)


def test_its_constant_is_annealed_like_any_machines(params):
    ends = sample_many(enumerated(MACHINE, PAIR, HIDDEN), params, KEY, 200)
    betas = jnp.linspace(0, 1, 200)
    found = jax.jit(
        lambda params, ends: machine_sandwich(MACHINE, PAIR, params, KEY, betas, 200, ends)
    )(params, ends)
    truth = logsumexp(np.asarray(log_masses(MACHINE, HIDDEN)(params), np.float64))
    for side, error in ((found.lower, found.lower_se), (found.upper, found.upper_se)):
        assert abs(float(side) - truth) < 5 * float(error) + 1e-3 and error < 0.03


def test_an_unknown_constant_leaves_a_bound_up_to_it():
    walk = forgetting(chained(MACHINE, PAIR, 5), above_by_mean_field(MACHINE, TOP))
    assert isinstance(walk.density, TemperedBound)


def test_wrong_input_is_refused(params):
    with pytest.raises(ValueError, match="binary units"):
        log_density(LAW, params, KEY, jnp.zeros(D))
    with pytest.raises(ValueError, match="binary units"):
        log_density(LAW, params, KEY, jnp.zeros(D + 1, jnp.uint8))
    two = jnp.asarray([0, 2, 1, 0], jnp.uint8)
    assert jax.jit(lambda p: log_density(LAW, p, KEY, two))(params) == -jnp.inf
    with pytest.raises(ValueError, match="top=0"):
        mean_field(MACHINE, 0)
