"""A run on disk: train it, go on with it, and read it back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from ..core import Batch
from ..data import Data, absolute, stream
from .average import averaged
from .checkpoint import Checkpoints, checkpoints, latest_step, spent
from .fit import Fitted, Watcher, fit
from .learner import State, learner
from .recipe import optimizer
from .run import Run, build, read_config, write_config
from .watch import json_lines, profiled, progress, tensorboard

RESIDENT = 2**30  # bytes of examples that are kept on the device


def describe(
    family: str,
    data: Data,
    data_dir: str | None,
    labels: bool,
    seed: int,
    settings: dict,
    seeds: int = 1,
) -> Run:
    """The run of a family on data, from names and changed settings. Raises ValueError as `build` does."""
    return build(
        {
            "family": family,
            "data": absolute(data.name),
            "data_dir": None if data_dir is None else os.path.abspath(os.path.expanduser(data_dir)),
            "labels": labels,
            "event": data.event._asdict(),
            "settings": settings,
            "seed": seed,
            "seeds": seeds,
            "about": data.about,
        }
    )


def train(
    run: Run,
    train: Batch,
    directory: str | Path,
    *,
    pictures: Callable[[Any, Path], None] | None = None,
    quiet: bool = False,
    seconds: float | None = None,
    until: int | None = None,
    histograms: bool = False,
    profile: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Fitted:
    """Train a run in its directory, or go on from its newest checkpoint.

    Leaves `run.json`, `checkpoints/`, `metrics.jsonl`, TensorBoard events under `events/` and, with
    `pictures(params, path)`, a picture of samples at every checkpoint under `samples/`; with `histograms`,
    those of parameters among the events; with `profile`, a JAX trace of a few stretches under `profile/`.
    Training ends early after `seconds` in all, those before an interruption too, or at the update
    `until` of the recipe's schedule; `stop` is asked between stretches of steps.

    Raises ValueError if the directory holds another run, OSError if it cannot be written or another
    process trains in it.
    """
    directory = Path(directory)
    with claimed(run, directory):
        kept = checkpoints(directory / "checkpoints")
        recipe = run.recipe
        every = max(1, min(1000, -(-recipe.steps // 4)))
        batch = min(recipe.batch, len(train.x))
        last = recipe.steps if until is None else min(until, recipe.steps)
        began = time.monotonic()
        if seconds is not None and (found := newest(run, kept)) is not None:
            step, before = found
            began -= before
            if before >= seconds:  # not one stretch more
                last = min(last, step)

        def look(step: int, state: State, metrics: dict) -> None:
            if pictures is not None and (step % every == 0 or step == last):
                pictures(one(run, state), directory / "samples" / f"{step:07d}.png")

        bar = nullcontext() if quiet else progress(run.config["family"], last, kept.latest() or 0)
        trace = profiled(directory / "profile") if profile else nullcontext()
        with bar as shown, trace as traced, written(directory, kept):
            pictured = directory / "samples" if pictures is not None else None
            watch: list[Watcher] = [
                json_lines(directory / "metrics.jsonl"),
                look,
                tensorboard(directory / "events", pictured, histograms),
            ]
            return fit(
                run.model,
                optimizer(recipe),
                fed(train, batch, run.config["seed"]),
                steps=last,
                batch=batch,
                seed=run.config["seed"],
                seeds=run.config["seeds"],
                checkpoints=kept,
                every=every,
                watch=watch + [each for each in (shown, traced) if each],
                until=None if seconds is None else began + seconds,
                stop=stop,
            )


@contextmanager
def claimed(run: Run, directory: Path) -> Iterator[None]:
    """The directory with the run's config in it, held for this process alone.

    Two that train in one directory would overwrite each other. The lock is the system's and ends
    with the process, however that ends.
    """
    try:
        write_config(run, directory)
        file = (directory / "lock").open("w")
    except OSError as error:
        raise OSError(
            f"train: cannot write to {directory} ({error.strerror or error}), wanted a writable directory; "
            "choose another --workdir"
        ) from error
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # a system without such locks
            pass
        except BlockingIOError:
            raise OSError(
                f"train: another process is training in {directory}, wanted a directory for this one; wait "
                "for it, or choose another --workdir"
            ) from None
        yield


@contextmanager
def written(directory: Path, kept: Checkpoints) -> Iterator[None]:
    """Say of a file that could not be written where, and what is left."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # said already
            raise
        raise OSError(
            f"train: could not write {error.filename or 'a file'} in {directory} ({error.strerror}); the "
            f"last good checkpoint is {kept.latest()}; free some space there or choose another --workdir"
        ) from error


def fed(train: Batch, batch: int, seed: int) -> Any:
    """The examples themselves where they fit on the device, else a Grain iterator over them."""
    if sum(leaf.nbytes for leaf in jax.tree.leaves(train)) <= RESIDENT:
        return train

    class Rows:
        def __len__(self):
            return len(train.x)

        def __getitem__(self, i):
            return jax.tree.map(lambda leaf: leaf[i], tuple(train))

    return stream(Rows(), batch=batch, seed=seed)


class Trained(NamedTuple):
    """A run and where it stands: averaged parameters, the step they are of, and what training took.

    With several seeds `params` and `seed` are those of one of them. memory: bytes, None if unknown."""

    run: Run
    params: dict[str, Any]
    seed: int
    step: int
    seconds: float
    memory: int | None


def load_run(directory: str | Path, member: int = 0) -> Trained:
    """A trained run, the `member`-th of those that were trained at once; nothing in it is executed.

    Raises ValueError if there is no run, or no checkpoint that belongs to it.
    """
    run = build(read_config(directory))
    place = Path(directory) / "checkpoints"
    found = checkpoints(place, read_only=True).restore(shape_of(run)) if place.is_dir() else None
    if found is None:
        raise ValueError(
            f"run: {directory} holds no readable checkpoint, wanted one; train it with the command it was "
            "begun with"
        )
    state, about = found
    seed, memory = run.config["seed"] + member, about.get("memory")
    # free to move: what is tied to its device would have every program compiled anew
    params = jax.tree.map(lambda leaf: jax.numpy.asarray(np.asarray(leaf)), one(run, state, member))
    return Trained(run, params, seed, latest_step(state), spent(about), memory)


def one(run: Run, state: State, member: int = 0) -> dict[str, Any]:
    """The averaged parameters of one of the seeds that a state holds."""
    params = averaged(state)
    return jax.tree.map(lambda leaf: leaf[member], params) if run.config["seeds"] > 1 else params


def shape_of(run: Run) -> State:
    """The state of a run without its numbers, as `Checkpoints.restore` asks for it."""
    init, seeds = learner(run.model, optimizer(run.recipe)).init, run.config["seeds"]
    if seeds == 1:
        return jax.eval_shape(init, jax.random.key(0))
    return jax.eval_shape(jax.vmap(init), jax.random.split(jax.random.key(0), seeds))


def newest(run: Run, kept: Checkpoints) -> tuple[int, float] | None:
    """The step of the newest checkpoint and the seconds of training before it; None without one."""
    if kept.latest() is None or (found := kept.restore(shape_of(run))) is None:
        return None
    state, about = found
    return latest_step(state), spent(about)


def parameters(params: dict[str, Any]) -> int:
    """How many numbers there are in all blocks."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(params))
