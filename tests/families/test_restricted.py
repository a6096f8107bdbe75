"""How the chains of a Boltzmann machine are told to go: from data, or on and on under fast weights too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, initial
from probtransform.families import registry

KEY = jax.random.key(0)
EVENTS = {
    "bits": Event((5,), levels=2),
    "symbols": Event((2,), levels=3),
    "labels": Event((5,), levels=2, classes=2),
    "reals": Event((2,)),
}


def examples(event: Event) -> Batch:
    """A dozen or so, and their labels, which say something of them."""
    noise = np.random.default_rng(0)
    label = np.arange(12) % 2
    x = noise.normal(size=(12, *event.shape)) + 2 * label[:, None]
    if event.levels:
        x = np.clip(x, 0, event.levels - 1).astype(np.uint8)
    return Batch(jnp.asarray(x), jnp.asarray(label) if event.classes else None)


def built(event: Event, **how):
    return registry["rbm"].build(event, hidden=3, **how)


def shaken(event: Event):
    """Parameters at which nothing is zero, of every way of learning."""
    noise, model = np.random.default_rng(1), built(event)
    params = model.prepare(initial(model, KEY), KEY, examples(event))

    def moved(block, scale):
        return jax.tree.map(
            lambda p: p + jnp.asarray(scale * noise.normal(size=p.shape), jnp.float32), block
        )

    scales = {"machine": 1.5, "affine": 0.3}
    return params | {b: moved(params[b], scales[b]) for b in model.players["machine"].owns}


def slope(model, event: Event, key):
    """Of all that the machine owns."""
    owns, loss = model.players["machine"].owns, model.players["machine"].loss
    found = jax.grad(lambda p: loss(p, model.carry(KEY), key, examples(event))[0])(shaken(event))
    return jnp.concatenate([jnp.ravel(g) for b in owns for g in jax.tree.leaves(found[b])])


@pytest.mark.parametrize("name", EVENTS)
def test_chains_from_data_have_the_slope_of_the_likelihood(name):
    """A mean over 1000 updates of CD-60, within its error; that of CD-1 is another."""
    event = EVENTS[name]
    exact = np.asarray(slope(built(event, chains=0), event, KEY))

    def off(moves):
        model = built(event, persistent=False, moves=moves)
        keys = jax.random.split(KEY, 1000)
        found = np.asarray(jax.jit(jax.vmap(lambda k: slope(model, event, k)))(keys), np.float64)
        error = found.std(0) / np.sqrt(len(found))
        return (abs(found.mean(0) - exact) / (error + 1e-6)).max()

    assert off(60) < 5 < off(1)


def test_nothing_is_carried_of_chains_from_data():
    model = built(EVENTS["bits"], persistent=False)
    assert not jax.tree.leaves(model.carry(KEY))
    with_chains = built(EVENTS["bits"], chains=7)
    assert with_chains.carry(KEY)["chains"].shape == (7, 5)


@pytest.mark.parametrize("name", EVENTS)
def test_fast_weights_are_of_the_machine_and_follow_its_slope(name):
    """From nothing, after one update they are the slope by minus their rate."""
    event = EVENTS[name]
    model, params = built(event, fast=0.1), shaken(event)
    loss = jax.jit(model.players["machine"].loss)
    _, (carry, _) = loss(params, model.carry(KEY), KEY, examples(event))
    plain = built(event).players["machine"].loss
    wanted = jax.grad(lambda p: plain(p, built(event).carry(KEY), KEY, examples(event))[0])(params)
    assert set(carry["fast"]) == {"machine"}
    for leaf, of_plain in wanted["machine"].items():
        np.testing.assert_allclose(carry["fast"]["machine"][leaf], -0.1 * of_plain, atol=1e-6)


@pytest.mark.parametrize("name", ["bits", "reals"])
def test_chains_go_where_the_fast_weights_send_them(name):
    """A visible bias of fifty more turns on every bit, and moves normals by fifty before the affine map."""
    event = EVENTS[name]
    model, params = built(event, fast=0.1), shaken(event)
    loss = jax.jit(model.players["machine"].loss)
    carry = model.carry(KEY)
    carry["fast"]["machine"]["visible"] += 50.0
    _, (after, _) = loss(params, carry, KEY, examples(event))
    chains = np.asarray(after["chains"], np.float64)
    if name == "bits":
        assert (chains == 1).all()
    else:
        own = params["affine"]
        lower = np.tril(own["below"], -1) + np.diag(np.exp(own["log_diagonal"]))
        z = np.linalg.solve(lower, (chains - own["mean"]).T)
        assert (abs(z - 50) < 20).all()


def test_what_makes_no_sense_is_refused():
    event = EVENTS["bits"]
    with pytest.raises(ValueError, match="pass chains=100 for CD-k"):
        built(event, chains=0, persistent=False)
    for other in ({"persistent": False}, {"chains": 0}):
        with pytest.raises(ValueError, match="that go on, which alone fast weights move"):
            built(event, fast=0.1, **other)
    with pytest.raises(ValueError, match=r"got fast=-0\.1, wanted a finite number >= 0"):
        built(event, fast=-0.1)
