"""Depth: what 64 layers cost beside 4, to compile and to keep in memory.

    python -m benchmarks.depth        (about a minute)

Affine couplings of 16 numbers, conditioners of 2 x 64, the gradient of the mean log-density of 256 examples.
Compile times are those of tracing, lowering and compiling afresh, the smallest of a few; memory is what the
compiled program asks for beside its inputs and outputs. Bars: 64 layers compile in at most 1.3 times the time
of 4, and recomputing activations from the inverse asks for at most 1.1 times the memory.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from probtransform.core import pushforward
from probtransform.distributions import normal
from probtransform.families.normalizing_flow import conditioner
from probtransform.families.realnvp import masks
from probtransform.transforms import coupling, reversible, stacked

from .timing import Row, publish, show

D, BATCH = 16, 256
SHALLOW, DEEP = 4, 64


def gradient(way, layers: int):
    """A fresh function each time, so that nothing is found in a cache, and its inputs' shapes."""
    network = conditioner(D, 2 * D, 0, 64, 2)
    flow = way(lambda mask: coupling(network, mask), masks(layers, D))
    model, key = pushforward(normal((D,)), flow=flow), jax.random.key(0)

    def loss(params, x):
        return -jax.vmap(lambda x: model.density.fn(params, key, x, None))(x).mean()

    params = jax.eval_shape(model.init, key)
    return jax.jit(jax.grad(loss)), (params, jax.ShapeDtypeStruct((BATCH, D), jnp.float32))


def compiled(way, layers: int):
    """The program, and the seconds that it took to make."""
    fn, inputs = gradient(way, layers)
    began = time.perf_counter()
    program = fn.lower(*inputs).compile()
    return program, time.perf_counter() - began


def main(rounds: int = 5) -> None:
    """rounds: compilations of each depth, turn by turn."""
    seconds: dict[int, list[float]] = {SHALLOW: [], DEEP: []}
    compiled(stacked, SHALLOW)  # what the first compilation of all has to load
    for i in range(rounds):
        for layers in (SHALLOW, DEEP)[:: -1 if i % 2 else 1]:
            seconds[layers].append(compiled(stacked, layers)[1])
    few, many = min(seconds[SHALLOW]), min(seconds[DEEP])
    middle = [f"{np.median(times):.2f}" for times in seconds.values()]
    note = f"{few:.2f} s, {many:.2f} s; medians {', '.join(middle)}"
    rows = [show(Row(f"compile: {DEEP} layers / {SHALLOW}", many / few, 1.3, True, note, seconds))]
    for name, way, bar in (("stacked", stacked, None), ("reversible", reversible, 1.1)):
        few, many = (
            compiled(way, n)[0].memory_analysis().temp_size_in_bytes for n in (SHALLOW, DEEP)
        )
        note = f"{few / 1e6:.2f} MB, {many / 1e6:.2f} MB"
        if bar is None:
            print(f"{f'memory of {name}: {DEEP} layers / {SHALLOW}':52s} {many / few:7.3f}  {note}")
        else:
            row = Row(f"memory of {name}: {DEEP} layers / {SHALLOW}", many / few, bar, True, note)
            rows.append(show(row))
    publish("depth", rows)


if __name__ == "__main__":
    tyro.cli(main)
