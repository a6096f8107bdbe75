"""Machines so small that every state can be written down."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal
from sklearn.neural_network import BernoulliRBM

from probtransform.core import sample_many
from probtransform.distributions.harmonium import (
    chained,
    enumerated,
    harmonium,
    log_masses,
)
from probtransform.distributions.layer import bits, normals, symbols

KEY = jax.random.key(0)
H = np.array(list(itertools.product([0, 1], repeat=3)))


def machine_on(layer, hidden=3, classes=0, scale=1.0):
    """A machine and parameters at which nothing is zero."""
    machine, noise = harmonium(layer, hidden, classes), np.random.default_rng(1)
    params = machine.init(KEY)
    shaken = {n: scale * noise.normal(size=p.shape) for n, p in params["machine"].items()}
    centre = {n: noise.uniform(size=p.shape) for n, p in params["centre"].items()}
    as32 = lambda block: {n: jnp.asarray(p, jnp.float32) for n, p in block.items()}  # noqa: E731
    return machine, {"machine": as32(shaken), "centre": as32(centre)}


def energies(params, s, h):
    """The definition, in double precision: `[len(s), len(h)]`, without the base."""
    own, centre = ({n: np.asarray(p, np.float64) for n, p in b.items()} for b in params.values())
    s, h = s - centre["visible"], h - centre["hidden"]
    return -((s @ own["visible"])[:, None] + h @ own["hidden"] + s @ own["weights"] @ h.T)


LAYERS = {
    "bits": (bits((4,)), np.array(list(itertools.product([0, 1], repeat=4)))),
    "symbols": (symbols((2,), 3), np.array(list(itertools.product(range(3), repeat=2)))),
}


def statistics(layer, v):
    return np.asarray(jax.vmap(layer.statistic)(jnp.asarray(v, jnp.uint8)), np.float64)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_number_is_a_sum_over_states(kind):
    layer, v = LAYERS[kind]
    machine, params = machine_on(layer)
    joint = -energies(params, statistics(layer, v), H)
    near = {"rtol": 1e-5, "atol": 1e-4}
    x = jnp.asarray(v, jnp.uint8)
    free = jax.vmap(machine.free_energy, (None, 0))(params, x)
    np.testing.assert_allclose(-free, logsumexp(joint, 1), **near)
    given = jax.nn.sigmoid(jax.vmap(machine.hidden, (None, 0))(params, x))
    posterior = np.exp(joint - logsumexp(joint, 1)[:, None])
    np.testing.assert_allclose(given, posterior @ H, **near)
    marginal = machine.marginal(params, jnp.asarray(H, jnp.float32))
    np.testing.assert_allclose(marginal, logsumexp(joint, 0), **near)
    law = enumerated(machine, layer, 3)
    nats = jax.vmap(law.density.fn, (None, None, 0))(params, KEY, x)
    np.testing.assert_allclose(nats, logsumexp(joint, 1) - logsumexp(joint), **near)


def test_normal_units_are_a_mixture():
    """A component for each state of the hidden bits, its mean `b + W (h - n)`."""
    layer = normals((2,))
    machine, params = machine_on(layer)
    x = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    weights = jax.nn.softmax(machine.marginal(params, jnp.asarray(H, jnp.float32)))
    means = jax.vmap(machine.visible, (None, 0))(params, jnp.asarray(H, jnp.float32))
    wanted = sum(w * multivariate_normal(m).pdf(x) for w, m in zip(weights, means, strict=True))
    law = enumerated(machine, layer, 3)
    nats = jax.vmap(law.density.fn, (None, None, 0))(params, KEY, x)
    np.testing.assert_allclose(nats, np.log(wanted), rtol=1e-4, atol=1e-5)


def test_free_energies_are_those_of_scikit_learn():
    layer = bits((6,))
    machine, params = machine_on(layer, hidden=5)
    params["centre"] = jax.tree.map(jnp.zeros_like, params["centre"])
    theirs, own = BernoulliRBM(n_components=5), params["machine"]
    theirs.components_ = np.asarray(own["weights"]).T
    theirs.intercept_hidden_ = np.asarray(own["hidden"])
    theirs.intercept_visible_ = np.asarray(own["visible"])
    v = np.random.default_rng(0).integers(0, 2, (20, 6)).astype(np.uint8)
    ours = jax.vmap(machine.free_energy, (None, 0))(params, v)
    np.testing.assert_allclose(
        ours, theirs._free_energy(v.astype(np.float32)), rtol=1e-5, atol=1e-5
    )


def test_centres_change_no_law():
    """`b - W n` and `c - m W` are the biases of the same machine without centres."""
    layer, v = LAYERS["bits"]
    machine, params = machine_on(layer)
    own, centre = params["machine"], params["centre"]
    plain = own | {
        "visible": own["visible"] - own["weights"] @ centre["hidden"],
        "hidden": own["hidden"] - centre["visible"] @ own["weights"],
    }
    law, x = enumerated(machine, layer, 3), jnp.asarray(v, jnp.uint8)
    nats = [
        jax.vmap(law.density.fn, (None, None, 0))(p, KEY, x)
        for p in (params, {"machine": plain, "centre": jax.tree.map(jnp.zeros_like, centre)})
    ]
    np.testing.assert_allclose(*nats, rtol=1e-4, atol=1e-5)


def shares(v, states):
    return (np.asarray(v)[:, None] == states).all(-1).mean(0)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("how", ["drawn", "swept", "chained"])
def test_samples_have_the_shares_of_the_law(kind, how):
    """Drawn exactly; swept once from exact draws, which it leaves alone; or at the end of a long chain."""
    layer, states = LAYERS[kind]
    machine, params = machine_on(layer, scale=0.7)
    law, count = enumerated(machine, layer, 3), 20_000
    if how == "chained":
        drawn = sample_many(chained(machine, layer, 50), params, KEY, count, chunk=count)
    else:
        drawn = sample_many(law, params, KEY, count, chunk=count)
    if how == "swept":
        keys = jax.random.split(jax.random.key(1), count)
        drawn = jax.vmap(machine.sweep, (None, 0, 0))(params, keys, drawn)
    nats = jax.vmap(law.density.fn, (None, None, 0))(params, KEY, jnp.asarray(states, jnp.uint8))
    p = np.exp(np.asarray(nats, np.float64))
    assert (abs(shares(drawn, states) - p) < 5 * np.sqrt(p / count)).all()


def test_a_sweep_is_the_two_conditionals_in_turn():
    """From one state, against the product of the tables of both layers."""
    layer, states = LAYERS["bits"]
    machine, params = machine_on(layer)
    v = jnp.asarray([1, 0, 0, 1], jnp.uint8)
    keys = jax.random.split(KEY, 20_000)
    moved = jax.vmap(machine.sweep, (None, 0, None))(params, keys, v)
    on = expit(np.asarray(machine.hidden(params, v), np.float64))
    p_h = np.prod(np.where(H == 1, on, 1 - on), -1)
    eta = jax.vmap(machine.visible, (None, 0))(params, jnp.asarray(H, jnp.float32))
    p_v = np.prod(np.where(states[:, None] == 1, expit(eta), expit(-eta)), -1) @ p_h
    assert (abs(shares(moved, states) - p_v) < 5 * np.sqrt(p_v / 20_000)).all()


def test_a_label_moves_the_hidden_biases():
    layer, v = LAYERS["bits"]
    machine, params = machine_on(layer, classes=2)
    own = params["machine"]
    told = own | {"hidden": own["hidden"] + own["labels"][1]}
    plain = harmonium(layer, 3)
    x = jnp.asarray(v[5], jnp.uint8)
    np.testing.assert_allclose(
        machine.free_energy(params, x, 1),
        plain.free_energy(params | {"machine": told}, x),
        rtol=1e-5,
    )


def test_states_are_all_counted_in_pieces():
    """Fourteen bits are two pieces; against the same sum over the other layer."""
    layer = bits((3,))
    machine, params = machine_on(layer, hidden=14, scale=0.5)
    v = jnp.asarray(list(itertools.product([0, 1], repeat=3)), jnp.uint8)
    over_v = logsumexp(-np.asarray(jax.vmap(machine.free_energy, (None, 0))(params, v), np.float64))
    over_h = logsumexp(np.asarray(log_masses(machine, 14)(params), np.float64))
    np.testing.assert_allclose(over_h, over_v, rtol=1e-6, atol=1e-4)


def test_wrong_input_is_refused():
    layer = bits((4,))
    machine, params = machine_on(layer)
    with pytest.raises(ValueError, match="at most 20"):
        log_masses(machine, 21)
    with pytest.raises(ValueError, match="binary units"):
        machine.free_energy(params, jnp.zeros(4))
    two = jnp.asarray([0, 1, 2, 0], jnp.uint8)
    assert machine.free_energy(params, two) == jnp.inf
