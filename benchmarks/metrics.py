"""The distances of features at the size they are used at: 50,000 examples of dimension 2,048, twice.

    python -m benchmarks.metrics        (about three minutes)

Batches of 1,000 are drawn, counted and forgotten. The seconds are of a whole Fréchet distance, drawing
included, at most 60 on two cores; the memory is the peak of the process, JAX and all, at most 2 GB. Both
laws are Gaussian, so that the answer is known, and is beside the seconds: at 50,000 examples the estimate
lies above the truth by its bias. Then the kernel distance, and precision and recall, of 10,000 examples.
"""

from __future__ import annotations

import resource
import sys
import time

import jax
import numpy as np

from probtransform.evaluation.frechet import frechet_distance, moments
from probtransform.evaluation.kernel_distance import kernel_distance
from probtransform.evaluation.manifold import precision_recall

from .timing import Row, publish, show

EXAMPLES, DIMENSION, BATCH = 50_000, 2_048, 1_000
SHIFT, SCALE = 0.05, 1.2


def batches(seed: int, shift: float = 0.0, scale: float = 1.0):
    random = np.random.default_rng(seed)
    for _ in range(EXAMPLES // BATCH):
        z = random.standard_normal((BATCH, DIMENSION), np.float32)
        yield np.float32(scale) * z + np.float32(shift)


def first(count: int, *law) -> np.ndarray:
    return np.concatenate([x for x, _ in zip(batches(*law), range(count // BATCH), strict=False)])


def peak_gigabytes() -> float:
    """The most memory that the process ever held; counted in kB, on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)


def main() -> None:
    began = time.perf_counter()
    distance = frechet_distance(moments(batches(0)), moments(batches(1, SHIFT, SCALE)))
    seconds = time.perf_counter() - began
    truth = DIMENSION * (SHIFT**2 + (SCALE - 1) ** 2)
    size = f"{EXAMPLES:,} x {DIMENSION}"
    rows = [
        show(
            Row(f"Frechet, {size}, seconds", seconds, 60.0, note=f"{distance:.2f} for {truth:.2f}")
        ),
        show(Row(f"Frechet, {size}, peak GB", peak_gigabytes(), 2.0)),
    ]
    x, y = first(10_000, 0), first(10_000, 1, SHIFT, SCALE)
    for name, run in {
        "kernel distance, 10,000 x 2048, seconds": lambda: kernel_distance(x, y, jax.random.key(0)),
        "precision and recall, 10,000 x 2048, seconds": lambda: precision_recall(x, y),
    }.items():
        began = time.perf_counter()
        found = run()
        seconds = time.perf_counter() - began
        note = ", ".join(f"{k} {v:.4g}" for k, v in found._asdict().items())
        rows.append(show(Row(name, seconds, 60.0, note=note)))
    publish("metrics", rows, peak_gigabytes_of_all=round(peak_gigabytes(), 3))


if __name__ == "__main__":
    main()
