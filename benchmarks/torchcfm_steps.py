"""Steps a second of flow matching against torchcfm, the same work on the same machine, turn by turn.

    python -m benchmarks.torchcfm_steps --torch PEERS/bin/python        (about two minutes)

where PEERS is a virtual environment made apart, `pip install torch==2.13.0 torchcfm==1.0.7` (both in one
command), then `pip uninstall -y torchvision`. Its tutorial's recipe: two dimensions, an MLP of 3 x 64 SELU,
batch 256, Adam 1e-3, sigma 0.1, from a normal to moons. Ours runs as `training.fit` runs it, 100 steps a
program, indices and metrics included; torch runs eagerly. Each has a process of its own, with one thread or
two, whichever is quicker. Bar: 3.5 times its steps.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tyro

from .fit_worker import BATCH
from .timing import interleaved, over, publish, show

BAR, THREADS = 3.5, (1, 2)


class Worker(NamedTuple):
    """A process that trains: `run(steps)` gives wall-clock and CPU seconds, and notes the loss."""

    version: str
    threads: int
    run: Callable[[int], tuple[float, float]]
    losses: list[float]


def worker(command: list[str], threads: int) -> Worker:
    process = subprocess.Popen(
        command,
        env=os.environ | {"NPROC": str(threads)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    version = process.stdout.readline().strip()
    if not version:
        sys.exit(f"got no answer from {command}, wanted a Python with what it needs; install it")
    losses = [0.0]

    def run(steps: int) -> tuple[float, float]:
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
        wall, cpu, losses[0] = map(float, process.stdout.readline().split())
        return wall, cpu

    return Worker(version, threads, run, losses)


def quickest(command: Callable[[int], list[str]], steps: int) -> Worker:
    """The worker with the number of threads that makes it quickest, tried in short runs turn by turn."""
    workers = [worker(command(threads), threads) for threads in THREADS]
    for w in workers:
        w.run(steps)
    times = [[w.run(steps)[0] for w in workers] for _ in range(6)]
    wall = [min(column) for column in zip(*times, strict=True)]
    return workers[wall.index(min(wall))]


def main(torch: str, steps: int = 1000, rounds: int = 21) -> None:
    """torch: a Python that has torchcfm.  steps: of each in a round."""
    ours = quickest(lambda _: [sys.executable, "-m", "benchmarks.fit_worker"], steps)
    script = str(Path(__file__).parent / "torchcfm_worker.py")
    rows = []
    for data in ("resident", "drawn"):
        theirs = quickest(lambda threads, data=data: [torch, script, str(threads), data], steps)
        contenders = {"ours": ours, "torchcfm": theirs}
        times = interleaved(contenders, "ours", rounds, clock=lambda worker: worker.run(steps))
        for name, m in times.items():
            each = f"{1e3 * m.wall / steps:.4f} ms a step, CPU {1e3 * m.cpu / steps:.4f}"
            print(f"  {name:9s} {each}, {contenders[name].threads} thread(s)")
        detail = {
            "times": times,
            "steps": steps,
            "losses": {name: w.losses[0] for name, w in contenders.items()},
            "threads": {name: w.threads for name, w in contenders.items()},
        }
        title = f"steps a second over torchcfm, data {data}"
        rows.append(show(over(title, times["torchcfm"], BAR, detail, at_most=False)))
    publish("torchcfm_steps", rows, torch=theirs.version, torchcfm="1.0.7", batch=BATCH)


if __name__ == "__main__":
    tyro.cli(main)
