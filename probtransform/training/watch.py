"""What looks on while a model trains: a progress bar, metrics as JSON lines, TensorBoard events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .fit import Watcher


def json_lines(path: str | Path, start: int = 0) -> Watcher:
    """A line `{"step": ..., "loss/<player>": ..., ...}` for every stretch of steps.

    Lines beyond step `start` are dropped first: they belong to steps that will be taken again.
    """
    path = Path(path)
    kept = [row for row in read_lines(path) if row["step"] <= start]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in kept))

    def watch(step, state, metrics):
        with path.open("a") as file:
            file.write(json.dumps(metrics) + "\n")

    return watch


def read_lines(path: str | Path) -> list[dict]:
    """The metrics that `json_lines` wrote; a last line cut short by a crash is left out."""
    if not Path(path).exists():
        return []
    lines = Path(path).read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]


def tensorboard(directory: str | Path, start: int = 0) -> Watcher:
    """TensorBoard event files in `directory`; events beyond step `start` of an earlier try are hidden."""
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(directory), purge_step=start + 1 if start else None)

    def watch(step, state, metrics):
        for name, value in metrics.items():
            if name != "step":
                writer.add_scalar(name, value, step)
        writer.flush()

    return watch


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
            losses = [f"{n[5:]} {v:.4g}" for n, v in metrics.items() if n[:5] == "loss/" and n[-3:] != "/se"]
            bar.update(task, completed=step, losses=", ".join(losses))

        yield watch
