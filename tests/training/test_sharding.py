"""Several devices: a process of two has the run that one has, each device a half of every batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ON_TWO = """
import json, sys, tempfile
import jax, numpy as np, optax
sys.path.insert(0, "tests/training")
from toys import DATA, Stream, mean_of_data
from probtransform.families.realnvp import tiny
from probtransform.training import checkpoints, fit

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


def test_shares_that_are_not_equal_are_refused(told):
    assert told["refused"] == (
        "fit: got a batch of 3 for 2 devices, wanted as many examples for each; choose another batch, or "
        "fewer devices"
    )
