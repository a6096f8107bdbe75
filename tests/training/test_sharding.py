"""Several devices: a process of two has the runs that one has, a half of them, or of every batch, on each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ON_TWO = """
import json, sys, tempfile
import jax, jax.numpy as jnp, numpy as np, optax
sys.path.insert(0, "tests/training")
from toys import DATA, Stream, mean_of_data
from probtransform.core import Batch, Distribution, Unnormalized
from probtransform.families.realnvp import tiny
from probtransform.objectives.contrastive_divergence import contrastive_divergence
from probtransform.training import checkpoints, fit, learner
from probtransform.training.feed import resident
from probtransform.training.fit import fused
from probtransform.training.sharding import divided, held

seen, model, batch = [], *tiny()
loss = model.players["flow"].loss

def looking(params, carry, key, batch):
    jax.debug.inspect_array_sharding(batch.x, callback=lambda at: seen.append(at.shard_shape(batch.x.shape)))
    return loss(params, carry, key, batch)

model = model._replace(players={"flow": model.players["flow"]._replace(loss=looking)})
numbers = lambda tree: [np.ravel(a).tolist() for a in jax.tree.leaves(tree)]

def both(model, tx, data, **how):
    two = fit(model, tx, data(), devices=jax.devices(), **how).state.params
    places = {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(two)}
    return [numbers(two), numbers(fit(model, tx, data(), **how).state.params), sorted(places)]

def resumed():
    with tempfile.TemporaryDirectory() as directory:
        kept = checkpoints(directory)
        how = {"batch": 4, "checkpoints": kept, "devices": jax.devices()}
        fit(mean_of_data(1.0), descent, DATA, steps=4, **how)
        two = fit(mean_of_data(1.0), descent, DATA, steps=9, **how).state.params["w"]
    one = fit(mean_of_data(1.0), descent, DATA, steps=9, batch=4).state.params["w"]
    return numbers(two), numbers(one), [len(two.sharding.device_set)]

def runs():
    how = {"steps": 9, "batch": 3, "seeds": 4}
    state = fit(mean_of_data(1.0), descent, DATA, devices=jax.devices(), **how).state
    halves = {leaf.sharding.shard_shape(leaf.shape)[0] for leaf in jax.tree.leaves(state)}
    one = fit(mean_of_data(1.0), descent, DATA, **how).state.params
    return numbers(state.params), numbers(one), [len(state.params["w"].sharding.device_set)], list(halves)

def words():
    feed = divided(resident(DATA, 3, range(4)), jax.devices(), 4)
    learn, keys = learner(mean_of_data(1.0), adam), jax.random.split(jax.random.key(0), 4)
    state = jax.device_put(jax.vmap(learn.init, (0, None))(keys, None), held(jax.devices(), 4))
    return said(fused(learn, feed, keys, 7).lower(state, feed.read(0, 7, 7), 7))

def said(program):
    text = program.compile().as_text()
    return [word for word in ("all-reduce", "all-gather", "all-to-all", "permute") if word in text]

def contrasted():
    density = Unnormalized(lambda w, key, x, cond=None: -jnp.sum((x @ w) ** 2))
    law = Distribution(lambda key: jnp.eye(2), lambda w, key, cond: jnp.zeros(2), density)
    loss = contrastive_divergence(law, lambda w, key, x, cond: x / 2)
    x = jax.device_put(jnp.ones((8, 2)), held(jax.devices(), 8))
    slope = jax.grad(lambda w, x: loss(w, {}, jax.random.key(0), Batch(x))[0])
    return said(jax.jit(slope).lower(jnp.eye(2), x))

def refusal():
    try:
        fit(mean_of_data(), optax.sgd(0.1), DATA, steps=1, batch=3, devices=jax.devices())
    except ValueError as error:
        return str(error)

adam, descent = optax.adam(1e-3), optax.sgd(0.1)
print(json.dumps({
    "devices": len(jax.devices()),
    "resident": both(model, adam, lambda: batch, steps=20, batch=8, fuse=7),
    "share": seen[0],
    "refused": refusal(),
    "resumed": resumed(),
    "runs": runs(),
    "words": words(),
    "contrasted": contrasted(),
    "seeds": both(mean_of_data(1.0), descent, lambda: DATA, steps=9, batch=4, seeds=3),
    "streamed": both(mean_of_data(), descent, lambda: Stream(DATA, 4, 0), steps=9),
}))
"""


@pytest.fixture(scope="module")
def told():
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    told = {"env": environment, "cwd": Path(__file__).parents[2]}
    ran = subprocess.run([sys.executable, "-c", ON_TWO], capture_output=True, text=True, **told)
    assert not ran.returncode, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def test_each_device_has_a_half_of_every_batch(told):
    assert told["devices"] == 2 and told["share"][0] == 4


@pytest.mark.parametrize("how", ["resident", "seeds", "streamed", "resumed"])
def test_the_run_is_that_of_one_device(told, how):
    two, one, places = told[how]
    assert places == [2]
    for a, b in zip(two, one, strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)


def test_devices_with_runs_of_their_own_have_nothing_to_tell_one_another(told):
    two, one, places, halves = told["runs"]
    assert places == [2] and halves == [2] and told["words"] == []
    for a, b in zip(two, one, strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)


def test_a_contrast_of_shared_examples_leaves_them_where_they_are(told):
    assert told["contrasted"] == ["all-reduce"]


def test_shares_that_are_not_equal_are_refused(told):
    assert told["refused"] == (
        "fit: got a batch of 3 for 2 devices, wanted as many examples for each; choose another batch, or "
        "fewer devices"
    )
