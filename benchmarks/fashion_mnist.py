"""Fashion-MNIST at 8 bits, the same split and time for all: `pixelcnn_pp`, zuko's NSF and a plain PixelCNN.

    python -m benchmarks.fashion_mnist --peers PEERS/bin/python --seconds 180    (about fifteen minutes)

where PEERS is a virtual environment made apart, `pip install torch==2.13.0 zuko`, and the data are those of
`--data fashion_mnist`. Each trains alone on the machine with all its cores, compilation included, on the
60 000 and is judged on all 10 000 test images. Bar: 0.1 bits per dimension below the better peer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
import tyro

from probtransform.data import load
from probtransform.evaluation import bits_per_dim
from probtransform.training import averaged, fit, optimizer
from probtransform.training.workdir import describe

from .timing import Row, publish, show


def ours(data, seconds: float) -> tuple[float, int, float]:
    began = time.monotonic()
    run = describe("pixelcnn_pp", data, None, False, 0, {})
    fitted = fit(
        run.model,
        optimizer(run.recipe),
        data.train,
        steps=run.recipe.steps,
        batch=run.recipe.batch,
        seed=0,
        until=began + seconds,
    )
    params = jax.block_until_ready(averaged(fitted.state))
    spent = time.monotonic() - began
    bits = bits_per_dim(
        run.model.distribution, params, jax.random.key(0), data.test, chunk=100
    ).mean
    return bits, int(fitted.state.step), spent


def theirs(kind: str, python: str, path: Path, seconds: float) -> tuple[float, int, float]:
    script = str(Path(__file__).parent / "fashion_worker.py")
    command = [python, script, kind, str(path), str(seconds), str(os.cpu_count())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            f"fashion_mnist: got an error from {command}:\n{done.stderr}\ninstall what it misses"
        )
    bits, steps, spent = done.stdout.split()
    return float(bits), int(steps), float(spent)


def main(peers: str, seconds: float = 180.0) -> None:
    """peers: a Python that has torch and zuko.  seconds: of training, for each."""
    data = load("fashion_mnist")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, train=np.asarray(data.train.x), test=np.asarray(data.test.x))
        for name, way in (
            ("zuko NSF", lambda: theirs("zuko", peers, path, seconds)),
            ("plain PixelCNN", lambda: theirs("pixelcnn", peers, path, seconds)),
            ("pixelcnn_pp", lambda: ours(data, seconds)),
        ):
            found[name] = way()
            bits, steps, spent = found[name]
            print(f"{name:16s} {bits:.3f} bits/dim  {steps} steps in {spent:.0f} s", flush=True)
    best = min(found["zuko NSF"][0], found["plain PixelCNN"][0])
    gain = best - found["pixelcnn_pp"][0]
    note = f"{best:.3f} - {found['pixelcnn_pp'][0]:.3f}"
    row = Row("bits per dimension below the better peer", gain, 0.1, False, note, found)
    publish("fashion_mnist", [show(row)], seconds=seconds)


if __name__ == "__main__":
    tyro.cli(main)
