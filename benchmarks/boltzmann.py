"""Boltzmann machines against scikit-learn's in float32, the same work on the same machine, turn by turn.

    python -m benchmarks.boltzmann        (about three minutes)

An epoch of persistent contrastive divergence on 1437 digits of 64 bits, 256 hidden units, a sweep of as many
chains as a batch has examples and a step of gradient ascent each: scikit-learn's loop over minibatches, and
ours in one program. Sixteen machines at once are the same program under `vmap`, against scikit-learn's one
after another. The exact constant is that of 64 visible and 20 hidden units, a million states. Both have one
core; such small products do not repay two. `--cores 2` gives both two, ours as two devices with eight of the
sixteen machines each. Bars: 3 times as fast in batches of 100 and 1.5 in batches of 10, 8 times for sixteen
at once, .2 seconds for the constant.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from sklearn.neural_network import BernoulliRBM
from threadpoolctl import threadpool_limits

from experiments.boltzmann import SHAPE, thresholded
from probtransform.core import Batch, Event
from probtransform.distributions.harmonium import harmonium, log_masses
from probtransform.distributions.layer import bits
from probtransform.families import registry
from probtransform.training import learner
from probtransform.training.sharding import everywhere, held

from .timing import Row, interleaved, over, publish, repeated, show

RATE = 0.01


@dataclass(frozen=True)
class Config:
    """machines: at once.  epochs: in a row, of one machine.  cores: that may be used, where the system
    lets us say.  publish: write the results."""

    hidden: int = 256
    machines: int = 16
    epochs: int = 10
    cores: int = 1
    rounds: int = 7
    publish: bool = True


def scikit_learns(x, hidden: int, batch: int):
    """`() -> ` an epoch of `BernoulliRBM`, in float32, its state kept from one to the next."""
    machine = BernoulliRBM(hidden, learning_rate=RATE, batch_size=batch, n_iter=1, random_state=0)
    machine.fit(x)
    assert machine.components_.dtype == np.float32
    rows, random = [x[i : i + batch] for i in range(0, len(x), batch)], np.random.RandomState(0)

    def epoch():
        for row in rows:
            machine._fit(row, random)

    return epoch


def ours(x, hidden: int, batch: int, machines: int = 0):
    """`() -> ` an epoch, one program; of so many machines at once, each with noise of its own."""
    model = registry["rbm"].build(Event(SHAPE, levels=2), hidden=hidden, chains=batch)
    learn = learner(model, optax.sgd(RATE))
    steps = len(x) // batch
    data = jnp.asarray(x[: steps * batch], jnp.uint8).reshape(steps, batch, *SHAPE)

    def epoch(state, key, data):
        return jax.lax.scan(lambda s, b: (learn.step(s, key, Batch(b))[0], None), state, data)[0]

    key = jax.random.key(0)
    init, run = learn.init, epoch
    if machines:
        shares = held(jax.devices(), machines)
        key = jax.device_put(jax.random.split(key, machines), shares)
        data = jax.device_put(data, everywhere(jax.devices()))
        init, run = jax.vmap(init), jax.vmap(epoch, (0, 0, None))
    run = partial(jax.jit, donate_argnums=0)(run)
    box = [init(key)]

    def once():
        box[0] = run(box[0], key, data)
        return box[0].params

    return once


def constant_row(config: Config) -> Row:
    machine = harmonium(bits((64,)), 20)
    noise = jax.random.split(jax.random.key(0), 3)
    params = jax.tree.map(
        lambda p: p + 0.3 * jax.random.normal(noise[p.ndim], p.shape), machine.init(noise[0])
    )
    count = jax.jit(lambda params: jax.nn.logsumexp(log_masses(machine, 20)(params)))
    jax.block_until_ready(count(params))
    seconds = []
    for _ in range(config.rounds):
        began = time.perf_counter()
        jax.block_until_ready(count(params))
        seconds.append(time.perf_counter() - began)
    return show(Row("log Z of 64 x 20, seconds", min(seconds), 0.2, detail=seconds))


def main(config: Config) -> None:
    if hasattr(os, "sched_setaffinity"):  # before the first array: threads are counted then
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: config.cores])
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    jax.config.update("jax_num_cpu_devices", config.cores)
    train, _ = thresholded()
    x = train.reshape(len(train), -1).astype(np.float32)
    rows = [constant_row(config)]
    for batch, bar in ((100, 3.0), (10, 1.5)):
        runs = {
            "scikit-learn": scikit_learns(x[: len(x) // batch * batch], config.hidden, batch),
            "ours": ours(x, config.hidden, batch),
        }
        runs = {name: repeated(epoch, config.epochs) for name, epoch in runs.items()}
        runs["many"] = ours(x, config.hidden, batch, config.machines)
        with threadpool_limits(config.cores):
            times = interleaved(runs, "ours", config.rounds)
        epochs = {"scikit-learn": config.epochs, "ours": config.epochs, "many": config.machines}
        each = {
            name: f"{1e3 * t.wall / epochs[name]:.2f} ms, CPU {1e3 * t.cpu / epochs[name]:.2f}"
            for name, t in times.items()
        }
        print(f"  batch {batch}: {each}", flush=True)
        rows.append(
            show(over(f"epoch, batch {batch}", times["scikit-learn"], bar, times, at_most=False))
        )
        share = config.machines / config.epochs
        at_once = share * times["scikit-learn"].wall / times["many"].wall
        cpu = share * times["scikit-learn"].cpu / times["many"].cpu
        own = share / times["many"].ratio
        note = f"CPU {cpu:.2f}; over ours in turn {own:.2f}"
        rows.append(
            show(Row(f"{config.machines} at once, batch {batch}", at_once, 8.0, False, note))
        )
    if config.publish:
        publish("boltzmann" if config.cores == 1 else "boltzmann_shared", rows, used=config.cores)


if __name__ == "__main__":
    main(tyro.cli(Config))
