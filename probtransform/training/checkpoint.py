"""Checkpoints: Orbax saves the state as it is, atomically; an unreadable one gives way to the one before."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

from .learner import State


class Checkpoints(NamedTuple):
    """save: `(state, about) -> None`.  restore: `state -> None or (state, about)`, shaped like its argument.
    latest: `() -> int or None`, the newest step kept. `about` is any JSON."""

    save: Callable[[State, dict], None]
    restore: Callable[[State], tuple[State, dict] | None]
    latest: Callable[[], int | None]


def checkpoints(directory: str | Path, keep: int = 2) -> Checkpoints:
    """The `keep` newest states of one run under `directory/<step>`.

    A checkpoint is written beside its place and renamed when whole, so a run that is killed leaves
    the last one intact. Nothing in a checkpoint is executed when it is read.

    Raises OSError if a checkpoint cannot be written, ValueError if it belongs to another model.
    """
    import orbax.checkpoint as ocp

    logging.getLogger("absl").setLevel(logging.ERROR)
    directory = Path(directory).absolute()
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
    try:
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
            about=ocp.args.JsonSave(about | {"blocks": layout(state)}),
        )
        try:
            manager.save(step, args=item)
        except Exception as error:  # the storage layer raises OSError, ValueError or its own
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
            raise OSError(
                f"checkpoints: could not write step {step} to {directory} ({reason}); the last good one "
                f"is {manager.latest_step()}; free some space there or choose another directory"
            ) from error

    def restore(like):
        for step in sorted(manager.all_steps(), reverse=True):
            try:
                about = manager.restore(step, args=ocp.args.Composite(about=ocp.args.JsonRestore())).about
                same(about["blocks"], layout(like), directory / str(step))
                target = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
                args = ocp.args.Composite(state=ocp.args.StandardRestore(target))
                return manager.restore(step, args=args).state, about
            except Mismatch:
                raise
            except Exception as error:
                place = set_aside(directory / str(step))
                manager.reload()
                warnings.warn(
                    f"checkpoints: step {step} cannot be read ({type(error).__name__}); it was set aside as "
                    f"{place.name}, going back to the one before",
                    stacklevel=2,
                )
        return None

    return Checkpoints(save, restore, manager.latest_step)


class Mismatch(ValueError):
    """A checkpoint of another model."""


def latest_step(state: State) -> int:
    return int(jax.numpy.ravel(state.step)[0])


def layout(state: State) -> dict[str, Any]:
    """What the blocks of a state look like, `{block: [shape of each leaf]}`."""
    return {b: [list(leaf.shape) for leaf in jax.tree.leaves(p)] for b, p in state.params.items()}


def same(got: dict, wanted: dict, place: Path) -> None:
    if got != wanted:
        odd = sorted(name for name in got.keys() | wanted.keys() if got.get(name) != wanted.get(name))
        raise Mismatch(
            f"checkpoints: {place} has blocks {sorted(got)}, wanted {sorted(wanted)} (they differ in {odd}); "
            "build the model it was saved from, or start in another directory"
        )


def set_aside(place: Path) -> Path:
    aside = place.with_name(f"unreadable-{place.name}")
    while aside.exists():
        aside = aside.with_name(aside.name + "-again")
    place.rename(aside)
    return aside
