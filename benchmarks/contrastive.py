"""Contrast of all pairs: memory and time of losses in blocks, beside the same with all pairs at once.

    python -m benchmarks.contrastive             (about a minute on one idle core)
    python -m benchmarks.contrastive --run 65536

The value and both slopes, dimension 128, single precision. Memory is what the compiled program holds at once,
arguments, results and scratch, of each loss for 65,536 pairs, and of NT-Xent for 4,096; `--run` runs so many
pairs of NT-Xent once and adds the most memory that the process ever had. Times are of 4,096 pairs.
"""

from __future__ import annotations

import resource
import time

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from probtransform.objectives.contrastive import clip_loss, nt_xent, siglip_loss, sup_con
from probtransform.objectives.contrastive.nt_xent import unit

from .timing import Row, interleaved, over, publish, show

MANY, SOME, SIZE = 65_536, 4096, 128
BAR = 2.0  # GiB


def labelled(a, b):
    """Both views of a pair have its label, one of a hundred."""
    label = jnp.arange(len(a)) % 100
    return sup_con(jnp.concatenate([a, b]), jnp.concatenate([label, label]))


LOSSES = {
    "NT-Xent": nt_xent,
    "SupCon": labelled,
    "CLIP": lambda a, b: clip_loss(a, b, jnp.log(10.0)),
    "SigLIP": lambda a, b: siglip_loss(a, b, jnp.log(10.0), -10.0),
}


def at_once(a, b, temperature: float = 0.5):
    """The same with one matrix of all similarities, whose slope keeps it."""
    z = unit(jnp.concatenate([a, b]))
    s = z @ z.T / temperature
    s = jnp.where(jnp.eye(len(z), dtype=bool), -jnp.inf, s)
    partner = jnp.roll(jnp.arange(len(z)), len(a))
    return -jnp.mean(jax.nn.log_softmax(s)[jnp.arange(len(z)), partner])


def slopes(loss):
    return jax.jit(jax.value_and_grad(loss, (0, 1)))


def held(loss, pairs: int) -> float:
    """GiB that the compiled program holds at once."""
    shape = jax.ShapeDtypeStruct((pairs, SIZE), jnp.float32)
    sizes = slopes(loss).lower(shape, shape).compile().memory_analysis()
    return (
        sizes.temp_size_in_bytes + sizes.argument_size_in_bytes + sizes.output_size_in_bytes
    ) / 2**30


def drawn(pairs: int):
    return jnp.asarray(np.random.default_rng(0).normal(size=(2, pairs, SIZE)), jnp.float32)


def ran(pairs: int) -> Row:
    """One run of so many pairs, and the most memory that the process had, JAX itself included."""
    began = time.process_time()
    value, _ = jax.block_until_ready(slopes(nt_xent)(*drawn(pairs)))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    note = f"loss {float(value):.4f}, {time.process_time() - began:.0f} s of CPU"
    return show(Row(f"GiB of the process, {pairs} pairs", most, BAR, True, note))


def main(run: int = SOME, rounds: int = 5) -> None:
    rows = [ran(run)]
    many = [(f"of {name} in blocks", loss, MANY) for name, loss in LOSSES.items()]
    some = [("in blocks", nt_xent, SOME), ("all at once", at_once, SOME)]
    for name, loss, pairs in many + some:
        rows.append(show(Row(f"GiB compiled, {pairs} pairs {name}", held(loss, pairs), BAR)))
    a, b = drawn(SOME)
    times = interleaved(
        {
            "in blocks": lambda: slopes_in_blocks(a, b),
            "all at once": lambda: slopes_at_once(a, b),
        },
        "all at once",
        rounds,
    )
    gap = abs(float(slopes_in_blocks(a, b)[0] - slopes_at_once(a, b)[0]))
    print(f"losses differ by {gap:.1e}")
    rows.append(show(over(f"in blocks / at once, {SOME} pairs", times["in blocks"], 1.5, times)))
    publish("contrastive", rows, size=SIZE, difference=gap)


slopes_in_blocks, slopes_at_once = slopes(nt_xent), slopes(at_once)

if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
