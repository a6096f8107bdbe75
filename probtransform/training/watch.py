"""What looks on while a model trains: a progress bar, metrics as JSON lines, TensorBoard events."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .fit import Watcher


def json_lines(path: str | Path) -> Watcher:
    """A line `{"step": ..., "loss/<player>": ..., ...}` for every stretch of steps.

    The first line replaces those of an earlier try that are not before it: their steps were taken
    again. Raises OSError if it cannot be written, ValueError if the file is no such lines.
    """
    path, begun = Path(path), False

    def watch(step, state, metrics):
        nonlocal begun
        if not begun:
            kept = [row for row in read_lines(path) if row["step"] < step]
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text("".join(json.dumps(row) + "\n" for row in kept))
            part.replace(path)
            begun = True
        with path.open("a") as file:
            file.write(json.dumps(metrics) + "\n")

    return watch


def read_lines(path: str | Path) -> list[dict]:
    """The metrics that `json_lines` wrote; a last line cut short by a crash is left out.

    Raises ValueError if another line is not what it wrote.
    """
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(errors="replace").split("\n")[:-1]
    try:
        return [row for row in map(json.loads, lines) if row["step"] >= 0]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"metrics: {path} holds a line that is no JSON object with a step, wanted what training wrote; "
            "remove the file"
        ) from error


def tensorboard(
    directory: str | Path, pictures: str | Path | None = None, histograms: bool = False
) -> Watcher:
    """TensorBoard event files in `directory`, one for each try; what an earlier one took again is hidden.

    `pictures` is where `<step>.png` lies once a step was drawn; `histograms` adds those of every block's
    parameters, and of their updates since the stretch before.
    Written here and now, so that a full disk is an OSError and not lost with a thread.
    """
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    from tensorboardX.proto.summary_pb2 import Summary

    path = Path(directory) / f"events.out.tfevents.{time.time():.6f}"

    def write(**what):
        record = framed(Event(wall_time=time.time(), **what).SerializeToString())
        with path.open("ab") as file:
            file.write(record)

    def watch(step, state, metrics):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(file_version="brain.Event:2")
            write(step=step, session_log=SessionLog(status=SessionLog.START))
        values = [Summary.Value(tag=n, simple_value=v) for n, v in metrics.items() if n != "step"]
        if pictures is not None and (drawn := Path(pictures) / f"{step:07d}.png").exists():
            values.append(Summary.Value(tag="samples", image=image(drawn)))
        if seen is not None:
            values += seen(state.params)
        write(step=step, summary=Summary(value=values))

    seen = since_last() if histograms else None
    return watch


def image(path: Path):
    """A PNG as TensorBoard takes it."""
    from PIL import Image
    from tensorboardX.proto.summary_pb2 import Summary

    with Image.open(path) as picture:
        width, height = picture.size
    return Summary.Image(
        height=height, width=width, colorspace=4, encoded_image_string=path.read_bytes()
    )


def since_last() -> Callable[[dict], list]:
    """`params -> [histogram]` of every array, and of what it moved since it was last seen."""
    import jax
    import numpy as np
    from tensorboardX.proto.summary_pb2 import HistogramProto, Summary

    before: dict[str, Any] = {}

    def histogram(tag: str, x):
        counts, edges = np.histogram(x, 30)
        whole = {"min": x.min(), "max": x.max(), "num": x.size}
        sums = {"sum": x.sum(), "sum_squares": np.square(x).sum()}
        proto = HistogramProto(**whole, **sums, bucket_limit=edges[1:], bucket=counts)
        return Summary.Value(tag=tag, histo=proto)

    def look(params: dict) -> list:
        out = []
        for path, leaf in jax.tree_util.tree_leaves_with_path(params):
            name, x = jax.tree_util.keystr(path, simple=True, separator="/"), np.array(leaf, float)
            if x.size and np.isfinite(x).all():
                out.append(histogram(f"parameters/{name}", x))
                if name in before:
                    out.append(histogram(f"updates/{name}", x - before[name]))
            before[name] = x
        return out

    return look


def framed(record: bytes) -> bytes:
    """A TFRecord: the length, the bytes, and a checksum of each."""
    from tensorboardX.record_writer import masked_crc32c

    head = struct.pack("<Q", len(record))
    sums = (struct.pack("<I", masked_crc32c(part)) for part in (head, record))
    return head + next(sums) + record + next(sums)


@contextmanager
def profiled(directory: str | Path, stretches: int = 3) -> Iterator[Watcher]:
    """A JAX trace, for TensorBoard or Perfetto, of the stretches after the first, which compiles."""
    import jax

    seen = 0

    def watch(step, state, metrics):
        nonlocal seen
        seen += 1
        if seen == 1:
            jax.profiler.start_trace(directory)
        elif seen == 1 + stretches:
            jax.profiler.stop_trace()

    try:
        yield watch
    finally:
        if 1 <= seen <= stretches:
            jax.profiler.stop_trace()


@contextmanager
def progress(title: str, steps: int, start: int = 0) -> Iterator[Watcher]:
    """A progress bar with the losses, steps a second and the time left."""
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task):
            return Text(f"{task.speed:.0f} steps/s" if task.speed else "compiling")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(title, total=steps, completed=start, losses="")

        def watch(step, state, metrics):
            losses = [
                f"{n[5:]} {v:.4g}"
                for n, v in metrics.items()
                if n[:5] == "loss/" and n[-3:] != "/se"
            ]
            bar.update(task, completed=step, losses=", ".join(losses))

        yield watch
