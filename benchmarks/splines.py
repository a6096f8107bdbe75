"""Spline flows against flowjax: density, training step, sampling and the training loop, turn by turn.

    taskset -c 0 python -m benchmarks.splines --flowjax PEERS/bin/python        (about five minutes)

where PEERS is a virtual environment made apart, `pip install flowjax==19.1.2`. Eight layers, conditioners of
2 x 64 with the same activation, eight bins, a batch of 1024 in eight dimensions, Adam; the training loop on
two dimensions in batches of 256, without compilation. And samples of an autoregressive spline flow: 256 of 43
numbers, 5 layers, 2 x 128. Ratios are of the least CPU time, of the loop, whose times are differences, of the
median. Bars: 1.2 times its density and step, 1.5 times its loop, 8 times its autoregressive samples.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import optax
import tyro

from probtransform.core import Batch, Event, initial, log_density_many, sample_many
from probtransform.families.spline_autoregressive import spline_autoregressive
from probtransform.families.spline_coupling import spline_coupling
from probtransform.training import learner
from probtransform.training.feed import resident
from probtransform.training.fit import fused

from .timing import Row, clocked, interleaved, publish, repeated, show
from .torchcfm_steps import worker

BARS = {"density": 1.2, "step": 1.2, "sample": 1.0, "autoregressive": 8, "fit": 1.5}
BATCH, FIT_BATCH, FUSE = 1024, 256, 100


def ours(work: str, times: int):
    """A run of the same size as a worker's of flowjax."""
    d = {"fit": 2, "autoregressive": 43}.get(work, 8)
    model, key = spline_coupling(Event((d,))), jax.random.key(0)
    if work == "autoregressive":
        model = spline_autoregressive(Event((d,)), layers=5)
    data = Batch(jax.random.normal(jax.random.key(1), (max(BATCH, FIT_BATCH * times), d)))
    if work in ("density", "sample", "autoregressive"):
        params = jax.jit(lambda key: initial(model, key))(key)
        x = data.x[:BATCH]
        one = {
            "density": jax.jit(lambda: log_density_many(model.distribution, params, key, x)),
            "sample": jax.jit(lambda: sample_many(model.distribution, params, key, BATCH)),
            "autoregressive": jax.jit(lambda: sample_many(model.distribution, params, key, 256)),
        }
        return repeated(one[work], times)
    learn = learner(model, optax.adam(1e-3))
    state = learn.init(key, data)
    if work == "fit":
        feed = resident(data, FIT_BATCH, [0])
        advance = fused(learn, feed, key, FUSE)

        def loop():
            nonlocal state
            for _ in range(times // FUSE):
                state, metrics = advance(state, feed.read(int(state.step), FUSE, FUSE), FUSE)
                float(metrics["loss/flow"][-1])
            return state

        return loop

    def steps():
        nonlocal state
        for _ in range(times):
            state, _ = jax.block_until_ready(learn.step(state, key, Batch(data.x[:BATCH])))
        return state

    return steps


def compare(work: str, python: str, times: int, rounds: int) -> Row:
    script = str(Path(__file__).parent / "flowjax_worker.py")
    theirs, run = worker([python, script, work], 1), ours(work, times)
    contenders = {"ours": lambda: clocked(run), "flowjax": lambda: theirs.run(times)}
    seen = interleaved(contenders, "ours", rounds, clock=lambda once: once())
    for name, m in seen.items():
        print(f"  {name:8s} {1e3 * m.cpu / times:.3f} ms, median {1e3 * m.cpu_median / times:.3f}")
    m = seen["flowjax"]
    detail = {"times": seen, "repetitions": times, "flowjax": theirs.version}
    title = f"{work}: flowjax / ours, CPU time"
    ratio = m.cpu_median / seen["ours"].cpu_median if work == "fit" else m.cpu_ratio
    return show(Row(title, ratio, BARS[work], False, f"pairs {m.pairs:.3f}", detail))


def main(flowjax: str, rounds: int = 15, only: tuple[str, ...] = tuple(BARS)) -> None:
    """flowjax: a Python that has it.  rounds: of each.  only: these comparisons."""
    if unknown := set(only) - set(BARS):
        sys.exit(f"splines: got {sorted(unknown)}, wanted some of {sorted(BARS)}; name those")
    times = {"density": 10, "step": 5, "sample": 10, "autoregressive": 1, "fit": 1000}
    turns = {"fit": max(1, rounds // 5)}
    publish(
        "splines", [compare(work, flowjax, times[work], turns.get(work, rounds)) for work in only]
    )


if __name__ == "__main__":
    tyro.cli(main)
