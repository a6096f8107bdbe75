"""A small table of the user's own, the command line in this process or one of its own, a run to look at."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
import pandas
import pytest

from probtransform.cli import main

MEANS, SCALES = np.array([50.0, -3.0, 1000.0]), np.array([10.0, 0.1, 300.0])
SMALL = ("width=8", "latent=2", "batch=16")


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Distances of few examples: what is told here is that they are there."""
    monkeypatch.setattr("probtransform.evaluation.measure.COUNT", 200)


@pytest.fixture
def cli(capsys):
    """`(*arguments) -> Answer`: one command, run here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as left:
            code = left.code
        return Answer(code, *capsys.readouterr())

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def process(*arguments, python=("-P", "-m", "probtransform"), **options) -> subprocess.Popen:
    """One command as a process of its own, which compiles as this one does but shares no cache with it."""
    hasty = str(int(jax.config.values["jax_disable_most_optimizations"]))
    return subprocess.Popen(
        [sys.executable, *python, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"JAX_ENABLE_COMPILATION_CACHE": "false"}
        | os.environ
        | {"JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": hasty},
        **options,
    )


def ended(child: subprocess.Popen) -> Answer:
    out, err = child.communicate(timeout=300)
    return Answer(child.returncode, out, err)


def numbers(seed: int, count: int = 80) -> np.ndarray:
    z = np.random.default_rng(seed).normal(size=(count, 3))
    z[:, 2] = 0.8 * z[:, 0] + 0.6 * z[:, 2]
    return z * SCALES + MEANS


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> Path:
    """80 rows of three correlated columns in units of their own, not in the order of the alphabet."""
    path = tmp_path_factory.mktemp("own") / "table.csv"
    pandas.DataFrame(numbers(0), columns=["weight", "angle", "income"]).to_csv(path, index=False)
    return path


def command(table: Path, workdir: Path, steps: int = 40) -> list:
    """The command that every test of interruptions repeats."""
    return [
        "train",
        "vae",
        "--data",
        table,
        "--steps",
        steps,
        "--set",
        *SMALL,
        "--workdir",
        workdir,
    ]


@pytest.fixture(scope="session")
def finished(table, tmp_path_factory) -> Path:
    """A run of 40 steps with checkpoints at 30 and 40. Copy it before you change it."""
    workdir = tmp_path_factory.mktemp("finished") / "run"
    assert main([str(a) for a in command(table, workdir)]) == 0
    return workdir


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    return shutil.copytree(finished, tmp_path / "run")


def kept(workdir: Path) -> list[int]:
    return sorted(int(p.name) for p in (workdir / "checkpoints").glob("*") if p.name.isdigit())


def state_of(workdir: Path) -> dict[str, bytes]:
    """Every array of the newest checkpoint, read by Orbax alone."""
    place = workdir.absolute() / "checkpoints" / str(kept(workdir)[-1]) / "state"
    state = ocp.StandardCheckpointer().restore(place)
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(path): np.asarray(leaf).tobytes() for path, leaf in leaves}


def assert_same_run(got: Path, wanted: Path) -> None:
    """Bit for bit the same final state, and every stretch of metrics once, in order."""
    state = state_of(wanted)
    assert len(state) > 20 and state_of(got) == state and kept(got)[-1] == kept(wanted)[-1]
    assert (got / "metrics.jsonl").read_text() == (wanted / "metrics.jsonl").read_text()
