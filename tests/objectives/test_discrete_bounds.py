"""Losses on symbols against a law whose every path is enumerated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_law import DATA, LAW, PATHS, exact, states, wrong

from probtransform.core import Batch
from probtransform.integrate.jumps import euler, holding, reversal
from probtransform.objectives.discrete import denoising, jump_bound, step_bound
from probtransform.paths import discrete

KINDS = {
    "reversal": reversal,
    "holding": holding,
    "noisy": lambda path: holding(path, 2.0),
    "noisy euler": lambda path: euler(holding(path, 2.0)),
}
ENTROPY = -(LAW * np.log(LAW)).sum()


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


def near(loss, xs, wanted, keys: int = 64, copies: int = 512):
    """The loss of each example is what is wanted, within four standard errors over keys, small ones."""

    def once(key, x):
        return loss({"net": ()}, (), key, Batch(jnp.tile(x, (copies, 1))))[0]

    every = jax.jit(jax.vmap(jax.vmap(once, (0, None)), (None, 0)))
    found = every(jax.random.split(jax.random.key(0), keys), jnp.asarray(xs, jnp.uint8))
    mean, error = np.mean(found, 1), np.std(found, 1, ddof=1) / np.sqrt(keys)
    assert (error < 0.05 * np.abs(wanted)).all(), error
    assert (abs(mean - wanted) < 4 * error + 1e-4).all(), (mean, wanted)


def over_states(path, network, x, t):
    """Beliefs at every pair of states, and how likely the pair is at t, given x."""
    pairs = jnp.asarray(states(path))
    laws = jax.vmap(lambda at: discrete.believed(network.apply((), at, t)))(pairs)
    q = path.marginal(path.known(jnp.asarray(x)), t)
    return pairs, laws, q[0][pairs[:, 0]] * q[1][pairs[:, 1]]


def chain_bound(path, jumps, network, xs, steps: int) -> np.ndarray:
    """Minus the bound of a chain: the divergences of all its steps, over all states that it may be in."""

    def step(x, k):
        t, s = k / steps, (k + 1) / steps
        pairs, laws, weight = over_states(path, network, x, t)
        known = jnp.broadcast_to(path.known(x), laws.shape)
        q, p = (jax.vmap(jumps.step, (0, 0, None, None))(law, pairs, t, s) for law in (known, laws))
        log_ratio = jnp.log(jnp.where(q > 0, q, 1)) - jnp.log(jnp.where(q > 0, p, 1))
        return (weight * (q * log_ratio).sum((1, 2))).sum()

    def whole(x):
        return jax.vmap(lambda k: step(x, k))(jnp.arange(steps)).sum()

    return np.asarray(jax.jit(jax.vmap(whole))(jnp.asarray(xs)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["masked", "uniform, cubic"])
def test_the_bound_of_a_chain_is_the_sum_of_its_divergences(name, kind):
    path = PATHS[name]
    jumps, network = KINDS[kind](path), wrong()
    xs = DATA[[1, 5]]
    near(step_bound(network, "net", path, jumps, 5), xs, chain_bound(path, jumps, network, xs, 5))


@pytest.mark.parametrize("name", PATHS)
def test_the_bound_of_the_exact_belief_tends_to_the_likelihood(name):
    """The gap of the reversal is what steps lose by moving both symbols at once: half for half the step."""
    path = PATHS[name]
    far, near = (chain_bound(path, reversal(path), exact(path), DATA, n) for n in (32, 64))
    lost = np.array([LAW.ravel() @ bound - ENTROPY for bound in (far, near)])
    assert (lost > 0).all() and lost[1] < 0.02 and 1.8 < lost[0] / lost[1] < 2.2
    np.testing.assert_allclose(2 * near - far, -np.log(LAW.ravel()), atol=1e-2)


@pytest.mark.parametrize("name", PATHS)
def test_in_continuous_time_the_exact_belief_has_the_likelihood(name):
    path = PATHS[name]
    loss = jump_bound(exact(path), "net", path, reversal(path))
    xs = DATA[[0, 3, 7]]
    near(loss, xs, -np.log(LAW[tuple(xs.T)]))


@pytest.mark.parametrize("kind", ["reversal", "holding", "noisy"])
@pytest.mark.parametrize("name", ["masked", "uniform"])
def test_continuous_time_is_the_limit_of_many_steps(name, kind):
    """By Richardson from 200 and 400 steps, for a belief that is wrong."""
    path = PATHS[name]
    jumps, network, xs = KINDS[kind](path), wrong(), DATA[[5]]
    coarse, fine = (chain_bound(path, jumps, network, xs, n) for n in (200, 400))
    near(jump_bound(network, "net", path, jumps), xs, 2 * fine - coarse)


def test_under_masks_it_is_the_mean_over_orders():
    """`E (1 / (1-t)) sum_hidden -log p`: each symbol first or second, half the time each."""
    path, network = PATHS["masked"], wrong()
    x = DATA[5]
    hidden = np.array([3, 3])
    log_p = [
        np.log(np.asarray(discrete.believed(network.apply((), jnp.asarray(at), 0.5))))
        for at in (hidden, [x[0], 3], [3, x[1]])
    ]
    first = log_p[0][0, x[0]] + log_p[1][1, x[1]]
    second = log_p[0][1, x[1]] + log_p[2][0, x[0]]
    loss = jump_bound(network, "net", path, reversal(path))
    near(loss, [x], -(first + second) / 2)


@pytest.mark.parametrize("name", PATHS)
def test_denoising_is_the_cross_entropy_of_what_may_be_seen(name):
    path, network, x = PATHS[name], wrong(), DATA[3]
    t, mass = np.polynomial.legendre.leggauss(40)

    def nats(at):
        pairs, laws, q = over_states(path, network, x, at)
        belief = jax.vmap(path.data, (0, 0, None))(laws, pairs, at)
        return (
            q * -jnp.log(jnp.where(q > 0, belief[:, 0, x[0]] * belief[:, 1, x[1]], 1)) / 2
        ).sum()

    wanted = mass / 2 @ np.asarray(jax.jit(jax.vmap(nats))((t + 1) / 2))
    near(denoising(network, "net", path), [x], wanted)


@pytest.mark.parametrize("name", PATHS)
def test_gradients_are_finite_where_the_belief_is_far_off(name):
    """In single precision, on thousands of examples all over time, with logits as far apart as 200."""
    path = PATHS[name]

    def net(params, x, t, cond=None):
        return params * jnp.ones((2, 3)) * jnp.array([0.0, 100.0, 200.0])

    network = wrong()._replace(apply=net)
    losses = (
        jump_bound(network, "net", path, reversal(path)),
        jump_bound(network, "net", path, holding(path, 1.0)),
        step_bound(network, "net", path, reversal(path), 1000),
        denoising(network, "net", path),
    )
    with jax.enable_x64(False):
        batch = Batch(jnp.tile(jnp.asarray(DATA, jnp.uint8), (400, 1)))

        def total(p):
            found = [loss({"net": p}, (), jax.random.key(1), batch)[0] for loss in losses]
            return sum(found), jnp.stack(found)

        (_, found), slope = jax.jit(jax.value_and_grad(total, has_aux=True))(jnp.float32(1.0))
    assert np.isfinite(found).all() and np.isfinite(slope)
