"""Steps a second of flow matching against torchcfm, the same work on the same machine, turn by turn.

    python -m benchmarks.torchcfm_steps --torch PEERS/bin/python        (about a minute)

where PEERS is a virtual environment made apart, `pip install torch==2.13.0 torchcfm==1.0.7` (both in one
command), then `pip uninstall -y torchvision`. Its tutorial's recipe: two dimensions, an MLP of 3 x 64 SELU,
batch 256, Adam 1e-3, sigma 0.1, from a normal to moons. Ours runs as `training.fit` runs it, 100 steps a
program, indices and metrics included; torch runs eagerly, with one thread or two, and the faster counts.
Bar: 3.5 times its steps.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from flax import nnx

from probtransform.core import Batch, Model, Player, each, from_nnx, pushforward, reading
from probtransform.data import load
from probtransform.distributions import normal
from probtransform.paths import linear
from probtransform.training import learner
from probtransform.training.feed import resident
from probtransform.training.fit import fused
from probtransform.transforms import flow

from .timing import clocked, interleaved, over, publish, show

BAR, BATCH, SIGMA, FUSE = 3.5, 256, 0.1, 100


def tutorial() -> Model:
    """The tutorial's model: flow matching with noise of deviation sigma about the straight line."""

    def body(rngs):
        sizes = [(3, 64), (64, 64), (64, 64)]
        layers = [part for a, b in sizes for part in (nnx.Linear(a, b, rngs=rngs), jax.nn.selu)]
        return nnx.Sequential(*layers, nnx.Linear(64, 2, rngs=rngs))

    velocity = reading(from_nnx(body), lambda x, t, cond: jnp.append(x, t))
    path = linear()

    def error(params, key, x, cond):
        time, base, noise = jax.random.split(key, 3)
        t, z = jax.random.uniform(time), jax.random.normal(base, x.shape)
        point = path.point(x, z, t) + SIGMA * jax.random.normal(noise, x.shape)
        v = velocity.apply(params["velocity"], point, t, cond)
        return jnp.mean((v - path.velocity(x, z, t)) ** 2)

    def loss(params, carry, key, batch):
        return jnp.mean(each(error, params, key, batch)), (carry, {})

    distribution = pushforward(normal((2,)), velocity=flow(velocity))
    return Model(distribution, {"velocity": Player(("velocity",), loss)})


def ours(steps: int):
    """A run of so many steps through the loop's own program, and the losses it saw."""
    data = Batch(3 * load("moons").train.x - 1)
    key, feed = jax.random.key(0), resident(data, BATCH, [0])
    learn = learner(tutorial(), optax.adam(1e-3))
    advance = fused(learn, feed, key, FUSE)
    box, losses = [learn.init(key, feed.sample())], [0.0]

    def run():
        for _ in range(steps // FUSE):
            done = int(box[0].step)
            box[0], metrics = advance(box[0], feed.read(done, FUSE, FUSE), FUSE)
            losses[0] = float(np.asarray(metrics["loss/velocity"]).mean())
        return box[0]

    return run, losses


def theirs(python: str, threads: int, data: str):
    """`(run, losses, version)`: `run(steps)` trains in a worker process, which measures itself."""
    worker = Path(__file__).parent / "torchcfm_worker.py"
    process = subprocess.Popen(
        [python, str(worker), str(threads), data],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    version = process.stdout.readline().strip()
    if not version:
        sys.exit(
            f"torchcfm: got no answer from {python}, wanted a Python with torchcfm; install it"
        )
    losses = [0.0]

    def run(steps):
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
        wall, cpu, losses[0] = map(float, process.stdout.readline().split())
        return wall, cpu

    return run, losses, version


def quickest(python: str, data: str, steps: int):
    """How many threads make torch quickest, one or two, tried in short runs; and a worker for each."""
    workers = {threads: theirs(python, threads, data) for threads in (1, 2)}
    wall = {t: min(run(steps)[0] for _ in range(4)) for t, (run, *_) in workers.items()}
    return min(wall, key=wall.__getitem__), workers


def main(torch: str, steps: int = 1000, rounds: int = 11) -> None:
    """torch: a Python that has torchcfm.  steps: of each in a round."""
    run, losses = ours(steps)
    rows = []
    for data in ("resident", "drawn"):
        threads, workers = quickest(torch, data, steps // 10)
        other, seen, version = workers[threads]
        runs = {"ours": lambda: clocked(run), "torchcfm": lambda other=other: other(steps)}
        times = interleaved(runs, "ours", rounds, clock=lambda run: run())
        for name, m in times.items():
            print(
                f"  {name:9s} {1e3 * m.wall / steps:.4f} ms a step, CPU {1e3 * m.cpu / steps:.4f}"
            )
        detail = {"times": times, "losses": losses + seen, "threads": threads, "steps": steps}
        title = f"steps a second over torchcfm, data {data}"
        rows.append(show(over(title, times["torchcfm"], BAR, detail, at_most=False)))
    publish("torchcfm_steps", rows, torch=version, torchcfm="1.0.7", batch=BATCH)


if __name__ == "__main__":
    tyro.cli(main)
