"""Checkpoints: Orbax saves the state as it is, atomically; an unreadable one gives way to the one before."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

from .learner import State

DIGESTS = "digests.json"


class Checkpoints(NamedTuple):
    """save: `(state, about) -> None`.  restore: `state -> None or (state, about)`, shaped like its argument.
    latest: `() -> int or None`, the newest step kept. `about` is any JSON."""

    save: Callable[[State, dict], None]
    restore: Callable[[State], tuple[State, dict] | None]
    latest: Callable[[], int | None]


def checkpoints(directory: str | Path, keep: int = 2, read_only: bool = False) -> Checkpoints:
    """The `keep` newest states of one run under `directory/<step>`.

    A checkpoint is written beside its place and renamed when whole, so a run that is killed leaves
    the last one intact. It carries a digest of every file: one that was cut short, or of which one
    bit changed, is set aside and the one before is taken. `read_only` leaves all files as they
    are. Nothing in a checkpoint is executed when it is read.

    Raises OSError if a checkpoint cannot be written, ValueError if it belongs to another model
    or optimizer.
    """
    import orbax.checkpoint as ocp

    logging.getLogger("absl").setLevel(logging.CRITICAL)  # what it logs is raised too
    directory = Path(directory).absolute()
    options = ocp.CheckpointManagerOptions(
        max_to_keep=None if read_only else keep,
        enable_async_checkpointing=False,
        cleanup_tmp_directories=not read_only,
        create=not read_only,
        read_only=read_only,
        save_interval_steps=0 if read_only else 1,
    )
    try:
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        manager = ocp.CheckpointManager(directory, options=options)
    except OSError as error:
        raise OSError(
            f"checkpoints: cannot write to {directory} ({error.strerror or error}), wanted a writable "
            "directory; choose another"
        ) from error

    def save(state, about):
        step = latest_step(state)
        if step in manager.all_steps():
            return
        item = ocp.args.Composite(
            state=ocp.args.StandardSave(state),
            about=ocp.args.JsonSave(about | {"layout": layout(state)}),
        )
        try:
            manager.save(step, args=item)
            write_digests(directory / str(step))
        except Exception as error:  # the storage layer raises OSError, ValueError or its own
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
            raise OSError(
                f"checkpoints: could not write step {step} to {directory} ({reason}); the last good one "
                f"is {manager.latest_step()}; free some space there or choose another directory"
            ) from error

    def restore(like):
        steps = sorted(manager.all_steps(), reverse=True)
        for step, before in zip(steps, [*steps[1:], None], strict=False):
            try:
                intact(directory / str(step))
                about = manager.restore(
                    step, args=ocp.args.Composite(about=ocp.args.JsonRestore())
                ).about
                same(about["layout"], layout(like), directory / str(step))
                args = ocp.args.Composite(state=ocp.args.StandardRestore(placed(like)))
                return manager.restore(step, args=args).state, about
            except Mismatch:
                raise
            except Exception as error:
                aside = ""
                if not read_only:
                    aside = f", it was set aside as {set_aside(directory / str(step)).name}"
                    manager.reload()
                warnings.warn(
                    f"checkpoints: step {step} cannot be read ({type(error).__name__}){aside}; "
                    + (
                        f"going back to step {before}"
                        if before is not None
                        else "no other one is left"
                    ),
                    stacklevel=2,
                )
        return None

    return Checkpoints(save, restore, manager.latest_step)


def placed(like: State) -> State:
    """Shapes with a place: where the arrays of `like` are, else here, wherever they were saved."""
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])

    def shape(leaf):
        where = getattr(leaf, "sharding", None) or here
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=where)

    return jax.tree.map(shape, like)


class Mismatch(ValueError):
    """A checkpoint of another model or optimizer."""


def latest_step(state: State) -> int:
    return int(jax.numpy.ravel(state.step)[0])


def layout(state: State) -> dict[str, Any]:
    """What the parts of a state look like: `{part: [[name, shape, dtype] of each leaf]}`."""
    optimizers = {f"optimizer of {player}": opt for player, opt in state.opt.items()}
    return {
        part: [
            [jax.tree_util.keystr(path), list(leaf.shape), str(leaf.dtype)]
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        ]
        for part, tree in (state.params | optimizers | {"carry": state.carry}).items()
    }


def digests(place: Path) -> dict[str, str]:
    """Of every file of a checkpoint but the list itself, so that not one bit changes unseen."""
    found = {}
    for path in sorted(place.rglob("*")):
        if path.is_file() and path.name != DIGESTS:
            with path.open("rb") as file:
                found[str(path.relative_to(place))] = hashlib.file_digest(
                    file, "sha256"
                ).hexdigest()
    return found


def write_digests(place: Path) -> None:
    part = place / "digests.part"
    part.write_text(json.dumps(digests(place)))
    part.replace(place / DIGESTS)


def intact(place: Path) -> None:
    """Raises ValueError if a file is not as it was written.

    The storage layer finds some damage itself, not a changed bit of a number, and its threads say what
    they find at length. A process that was killed before the list was written left a whole checkpoint.
    """
    if (place / DIGESTS).exists():
        written = json.loads((place / DIGESTS).read_text())
        if odd := sorted(written.items() - digests(place).items()):
            raise ValueError(
                f"checkpoints: {place / odd[0][0]} changed, wanted what was saved; restore it"
            )


def spent(about: dict[str, Any]) -> float:
    """The seconds of training that a checkpoint stands for. Raises ValueError if it does not say."""
    seconds = about.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError(
            f"checkpoints: got seconds {seconds!r}, wanted a number; take another checkpoint"
        )
    return float(seconds)


def same(got: dict, wanted: dict, place: Path) -> None:
    if got != wanted:
        odd = sorted(
            name for name in got.keys() | wanted.keys() if got.get(name) != wanted.get(name)
        )
        raise Mismatch(
            f"checkpoints: {place} has {sorted(got)}, wanted {sorted(wanted)} (they differ in {odd}); build "
            "the model and optimizer it was saved from, or start in another directory"
        )


def set_aside(place: Path) -> Path:
    aside = place.with_name(f"unreadable-{place.name}")
    while aside.exists():
        aside = aside.with_name(aside.name + "-again")
    place.rename(aside)
    return aside
