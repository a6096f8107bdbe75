"""Contrast: its slope against the exact one of a machine that can be counted, and what the chains do."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Distribution, Event, Maybe, Model, Player, Unnormalized, each
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import bits
from probtransform.families import registry
from probtransform.objectives import contrastive_divergence, likelihood, persistent_contrast
from probtransform.objectives.contrastive_divergence import (
    FORGOTTEN,
    as_often,
    chains_of,
    in_turn,
)
from probtransform.training import fit

KEY = jax.random.key(0)
LAYER = bits((8,))
MACHINE = harmonium(LAYER, 6)
WALK = chained(MACHINE, LAYER, 10)
LAW = enumerated(MACHINE, LAYER, 6)


@pytest.fixture(scope="module")
def params():
    noise = np.random.default_rng(0)
    return jax.tree.map(
        lambda p: jnp.asarray(p + 0.5 * noise.normal(size=p.shape), jnp.float32), MACHINE.init(KEY)
    )


@pytest.fixture(scope="module")
def batch():
    x = np.random.default_rng(1).random((4000, 8)) < np.linspace(0.1, 0.9, 8)
    return Batch(jnp.asarray(x, jnp.uint8))


def slope(loss, params, batch, carry=(), key=KEY):
    """Of the weights, one vector."""
    found = jax.jit(jax.grad(lambda p: loss(p, carry, key, batch)[0]))(params)["machine"]
    return np.concatenate([np.ravel(g) for g in jax.tree.leaves(found)])


def test_many_moves_give_the_slope_of_the_likelihood(params):
    """From examples that the machine would not draw: one move is a tenth off, many are noise off."""
    batch = Batch(jnp.zeros((4000, 8), jnp.uint8))
    exact = slope(likelihood(LAW), params, batch)

    def error(moves):
        found = slope(contrastive_divergence(WALK, MACHINE.sweep, moves), params, batch)
        return np.linalg.norm(found - exact) / np.linalg.norm(exact)

    assert error(100) < 0.03 < 0.06 < error(1)


def test_the_slope_is_a_difference_of_products(params, batch):
    """`<v h>` of the chains less `<v h>` of the data, h its mean given v; the chains are held fixed."""

    def still(params, key, x, cond):
        return jnp.roll(x, 1) if "machine" in params else x

    loss = contrastive_divergence(WALK, still)
    found = jax.jit(jax.grad(lambda p: loss(p, (), KEY, batch)[0]))(params)["machine"]["weights"]
    centre = params["centre"]

    def products(x):
        on = jax.nn.sigmoid(jax.vmap(MACHINE.hidden, (None, 0))(params, x)) - centre["hidden"]
        return (
            (np.asarray(x, np.float64) - np.asarray(centre["visible"])).T @ np.asarray(on) / len(x)
        )

    wanted = products(jnp.roll(batch.x, 1, 1)) - products(batch.x)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def start(key):
    return jax.random.bernoulli(key, 0.5, (8,)).astype(jnp.uint8)


def test_chains_go_on_where_they_were(params, batch):
    """A move that turns bits over: after two updates of three moves each chain is as at first."""

    def turn(params, key, x, cond):
        return 1 - x

    loss = jax.jit(persistent_contrast(WALK, turn, start, steps=3))
    first = chains_of(WALK, start, 50)(KEY)
    _, (second, _) = loss(params, first, KEY, batch)
    _, (third, _) = loss(params, second, jax.random.key(1), batch)
    np.testing.assert_array_equal(second["chains"], 1 - first["chains"])
    np.testing.assert_array_equal(third["chains"], first["chains"])
    assert first["chains"].shape == (50, 8) and first["chains"].std() > 0.4


def test_each_chain_is_renewed_on_its_own(params, batch):
    def stay(params, key, x, cond):
        return x

    loss = jax.jit(persistent_contrast(WALK, stay, lambda key: jnp.full(8, 1, jnp.uint8), 1, 0.3))
    carry = {"chains": jnp.zeros((5000, 8), jnp.uint8)}
    _, (after, _) = loss(params, carry, KEY, batch)
    whole = np.asarray(after["chains"]).mean(1)
    assert set(whole) == {0, 1}
    assert abs(whole.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 5000)


def test_persistent_chains_forget_their_start(params):
    """After many updates at fixed parameters their bits are as often on as the law's."""
    loss = jax.jit(persistent_contrast(WALK, MACHINE.sweep, lambda key: jnp.zeros(8, jnp.uint8), 5))
    carry = chains_of(WALK, lambda key: jnp.zeros(8, jnp.uint8), 4000)(KEY)
    few = Batch(jnp.zeros((2, 8), jnp.uint8))
    for i in range(20):
        _, (carry, _) = loss(params, carry, jax.random.key(i), few)
    keys = jax.random.split(KEY, 4000)
    drawn = jax.jit(jax.vmap(lambda k: LAW.sample(params, k, None)))(keys)
    gap = np.asarray(carry["chains"], float).mean(0) - np.asarray(drawn, float).mean(0)
    assert (abs(gap) < 5 * np.sqrt(0.5 / 4000)).all()


def test_fast_weights_follow_the_slope_and_forget(params, batch):
    """Chains that stay put: the slope is that of their own contrast, and twice the same."""

    def stay(params, key, x, cond):
        return x

    loss = persistent_contrast(WALK, stay, start, fast=0.1)
    carry = chains_of(WALK, start, 30, fast=("machine",))(KEY)
    slopes = jax.jit(jax.grad(lambda p: loss(p, carry, KEY, batch)[0]))(params)
    for _ in range(2):
        _, (carry, _) = loss(params, carry, KEY, batch)
    wanted = jax.tree.map(lambda g: -0.1 * g * (2 - FORGOTTEN), slopes["machine"])
    assert set(carry["fast"]) == {"machine"}  # what nobody moves is not moved for the chains either
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), carry["fast"]["machine"], wanted
    )


def test_fast_weights_move_the_chains_alone(params, batch):
    def told(params, key, x, cond):
        return (x + (params["machine"]["hidden"][0] > 50)).astype(jnp.uint8) % 2

    loss = persistent_contrast(WALK, told, start, fast=0.1)
    carry = chains_of(WALK, start, 30, fast=("machine",))(KEY)
    value, (stayed, _) = loss(params, carry, KEY, batch)
    np.testing.assert_array_equal(stayed["chains"], carry["chains"])
    carry["fast"]["machine"]["hidden"] = jnp.full(6, 100.0)
    other, (moved, _) = loss(params, carry, KEY, batch)
    np.testing.assert_array_equal(moved["chains"], 1 - carry["chains"])
    assert value != other


def test_a_run_stops_where_a_chain_leaves_the_finite_numbers():
    """A walk that runs away, and is lost in the third update, though the energy is bounded."""

    def log_density(params, key, x, cond):
        return params["steep"]["a"] * jnp.tanh(jnp.sum(x))

    law = Distribution(
        lambda key: {"steep": {"a": jnp.ones(())}},
        lambda p, k, c: jnp.zeros(2),
        Unnormalized(log_density),
    )

    def away(params, key, x, cond):  # from 1 to 1e30 in two updates
        return x * 1e15

    def one(key):
        return jnp.ones(2)

    loss = persistent_contrast(law, away, one)
    model = Model(law, {"energy": Player(("steep",), loss)}, {}, chains_of(law, one, 4))
    with pytest.raises(FloatingPointError, match="at step 3;"):
        fit(model, optax.sgd(1e-3), Batch(jnp.ones((8, 2))), steps=20, batch=8)


def test_a_buffer_is_larger_than_what_moves():
    """Three of ten chains go one further and back to their rows; it is they that are contrasted."""
    law = Distribution(
        lambda key: {"a": jnp.ones(())},
        lambda p, k, c: jnp.zeros(()),
        Unnormalized(lambda params, key, x, cond: params["a"] * x + 1000.0 * cond.value),
    )
    loss = persistent_contrast(law, lambda p, k, x, c: x + 1, lambda k: jnp.zeros(()), moved=3)
    carry = chains_of(law, lambda k: jnp.zeros(()), 10, in_turn(10, 2))(KEY)
    carry["chains"] = begun = 100.0 * jnp.arange(10.0)
    batch = Batch(jnp.zeros(6), Maybe(jnp.zeros(6, int), jnp.arange(6) < 2))  # a third of label 0
    seen = np.zeros(10)
    for i in range(200):
        value, (after, _) = loss({"a": jnp.ones(())}, carry, jax.random.key(i), batch)
        rows = np.flatnonzero(after["chains"] != begun)
        np.testing.assert_array_equal(after["chains"][rows], begun[rows] + 1)
        np.testing.assert_array_equal(after["labels"].value, carry["labels"].value)
        assert len(rows) == 3
        seen[rows] += 1
        # chains are weighed by the shares of their labels in the batch, among labels that were drawn
        kind = np.where(np.asarray(carry["labels"].present), carry["labels"].value, 2)[rows]
        share = {c: n for c, n in {0: 2, 2: 4}.items() if c in kind}
        if share:
            f = np.asarray(begun[rows]) + 1
            wanted = sum(n * f[kind == c].mean() for c, n in share.items()) / sum(share.values())
            np.testing.assert_allclose(value, wanted, rtol=1e-5)
    assert abs(seen / 200 - 0.3).max() < 5 * np.sqrt(0.21 / 200)
    with pytest.raises(ValueError, match="moved=11 of 10 chains"):
        persistent_contrast(law, None, None, moved=11)({}, carry, KEY, batch)


def test_a_machine_learns_by_its_chains(params):
    """Draws of one machine teach another, nats apart at first, though no constant is counted."""
    keys = jax.random.split(KEY, 4000)
    x = jax.jit(jax.vmap(lambda k: LAW.sample(params, k, None)))(keys)
    model = registry["rbm"].build(Event((8,), levels=2), hidden=6)
    run = fit(model, optax.adam(5e-3), Batch(x), steps=1500, batch=100)
    known, before, after = (
        float(each(LAW.density.fn, p, KEY, Batch(x)).mean())
        for p in (params, MACHINE.init(KEY), run.state.params)
    )
    assert known - before > 0.3 and abs(known - after) < 0.03


def test_a_machine_learns_each_label_by_chains_of_its_own():
    """Seven of ten examples are one pattern, the others another, each bit turned over with p = .05."""
    noise = np.random.default_rng(0)
    label = (noise.random(4000) < 0.3).astype(np.int32)
    pattern = np.array([[1, 0] * 5, [0, 0, 1, 1, 1] * 2])[label]
    x = pattern ^ (noise.random((4000, 10)) < 0.05)
    right = (x == pattern).sum(1)
    known = (np.log(0.95) * right + np.log(0.05) * (10 - right)).mean()
    data = Batch(jnp.asarray(x, jnp.uint8), jnp.asarray(label))
    model = registry["rbm"].build(Event((10,), levels=2, classes=2), hidden=6, chains=51)
    run = fit(
        model, optax.adam(optax.cosine_decay_schedule(5e-3, 1500)), data, steps=1500, batch=100
    )
    found = float(each(model.distribution.density.fn, run.state.params, KEY, data).mean())
    assert abs(found - known) < 0.03


def test_labels_count_as_often_as_in_the_batch():
    """Labels 0, 0, 1, none and 3, that no chain has; chains 0, 1, 1, none, 2."""
    here = Maybe(jnp.array([0, 0, 1, 9, 3]), jnp.array([True, True, True, False, True]))
    away = Maybe(jnp.array([0, 1, 1, 0, 2]), jnp.array([True, True, True, False, True]))
    examples, chains = as_often(here, away)
    np.testing.assert_allclose(examples, [0.25, 0.25, 0.25, 0.25, 0])
    np.testing.assert_allclose(chains, [0.5, 0.125, 0.125, 0.25, 0])


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match=r"got fast=0\.1 and chains without fast parameters"):
        loss = persistent_contrast(WALK, MACHINE.sweep, start, fast=0.1)
        loss(MACHINE.init(KEY), chains_of(WALK, start, 3)(KEY), KEY, Batch(jnp.zeros((2, 8))))
    with pytest.raises(ValueError, match="got 3 for 3 labels and none, wanted at least 4"):
        in_turn(3, 3)
    with pytest.raises(ValueError, match="got chains with labels and examples without"):
        loss = persistent_contrast(WALK, MACHINE.sweep, start)
        carry = chains_of(WALK, start, 3, in_turn(3, 2))(KEY)
        loss(MACHINE.init(KEY), carry, KEY, Batch(jnp.zeros((2, 8))))
    with pytest.raises(ValueError, match="renewed=2"):
        persistent_contrast(WALK, MACHINE.sweep, start, renewed=2)
    with pytest.raises(ValueError, match="steps=0"):
        contrastive_divergence(WALK, MACHINE.sweep, 0)
