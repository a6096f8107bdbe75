"""Trained runs as rows of one page: their numbers, their pictures, the commands that make them again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from .commands import LOOK
from .evaluate import floor_of, measured


def report(options) -> None:
    """evaluate trained runs and write one page of them"""
    from ..data import load
    from ..report import read_table
    from ..training.run import build, read_config

    out = Path(options.out)
    tables = [read_table(path) for path in options.tables]
    known: dict[str, Any] = {}
    rows = []
    for directory in options.runs:
        config = build(read_config(directory)).config
        source = str([config[key] for key in ("data", "labels", "data_dir")])
        if source not in known:
            data = load(config["data"], labels=config["labels"], data_dir=config["data_dir"])
            known[source] = data, floor_of(data)
        rows.append(row_of(directory, *known[source]))
    write(out, rows, {}, tables)
    print(f"report: {out}")


def write(out: Path, rows, left_out: dict[str, str], tables=()) -> None:
    """The page of these rows and tables. Raises OSError if it cannot be written."""
    from ..report import page

    whole = page(rows, left_out, tables=tables)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(whole, encoding="utf-8")
    except OSError as error:
        raise OSError(
            f"report: cannot write {out} ({error.strerror or error}); choose another place"
        ) from error


def row_of(directory: str | Path, data, floor: dict[str, float], short: bool = False):
    """The row of a trained run: its numbers, its pictures, and the command that makes it again.

    With `short` time, only the pictures that need no program of their own.
    """
    import jax

    from ..report import Row, curves, grid
    from ..training.watch import read_lines
    from ..training.workdir import load_run

    measures = measured(directory, data, floor=floor)
    run, params, _, step, seconds, memory = load_run(directory)
    event, key = run.event, jax.random.key(run.config["seed"])
    real = data.test._replace(
        x=data.test.x[:LOOK], cond=jax.tree.map(lambda c: c[:LOOK], data.test.cond)
    )
    history = [
        line for line in read_lines(Path(directory) / "metrics.jsonl") if line["step"] <= step
    ]
    picture = len(event.shape) == 3
    if short:
        made, skipped = few(run, params, key, data, real.x)
    else:
        made, skipped = pictures(run, params, key, real)
    return Row(
        family=run.config["family"],
        data=run.config["data"],
        measures=measures,
        parameters=measures["parameters"],
        seconds=seconds,
        memory=memory,
        seed=run.config["seed"],
        seeds=run.config["seeds"],
        command=command_of(run, step),
        real=grid(real.x, event) if picture else None,
        curves=curves(history) if history else None,
        skipped=skipped,
        **made,
    )


def few(run, params, key, data, real) -> tuple[dict[str, Any], dict[str, str]]:
    """Samples by the program of the numbers, and why there are no other pictures."""
    from ..evaluation.measure import COUNT, drawn_beside
    from ..report import grid
    from ..report.samples import is_image

    count = min(len(data.train.x), COUNT)
    x = drawn_beside(data.test, run.model, params, key, count)[: len(real)]
    shown = grid(x, run.event, None if is_image(run.event) else real)
    return {"samples": shown}, {"film or walk": "time was short; `probtransform report` draws them"}


def pictures(run, params, key, real) -> tuple[dict[str, Any], dict[str, str]]:
    """The pictures that a run's kind of data and claim allow, and why others are left out."""
    import numpy as np

    from ..core import Exact, log_density_many
    from ..report import grid, heat
    from ..report.animate import animate
    from ..report.film import gif
    from ..report.journey import samples
    from ..report.samples import is_image
    from ..report.transport import interpolation, transport

    distribution, event = run.model.distribution, run.event
    cond, image = real.cond, is_image(event)
    x = samples(distribution, params, key, len(real.x), cond)
    made = {"samples": grid(x, event, None if image else real.x)}
    skipped = {}

    def log_density(at):
        return log_density_many(distribution, params, key, at, None, 30_000)

    plane = event.shape == (2,) and not event.classes
    exact = plane and isinstance(distribution.density, Exact)
    if exact:
        made["density"] = heat(log_density, real.x)
    if plane:
        made["transport"] = transport(
            distribution, params, key, np.asarray(real.x), log_density if exact else None
        )
    try:
        made["interpolation"] = interpolation(distribution, params, key, event, real.x)
    except ValueError as why:
        skipped["interpolation"] = str(why)
    count = min(len(real.x), 16 if image else 250)
    some = None if cond is None else cond[:count]
    frames = animate(
        distribution, params, key, event, count, some, None if image else real.x, 26, 3.0
    )
    made["animation"] = gif(frames, 4.0, 16)
    return made, skipped


def command_of(run, step: int) -> str:
    """The line that makes this run again, to the last bit: what differs from the presets is said."""
    from ..training.run import settings_of

    config = run.config
    words = ["probtransform", "train", config["family"], "--data", config["data"]]
    words += ["--seed", str(config["seed"])] + ["--labels"] * config["labels"]
    words += ["--seeds", str(config["seeds"])] if config["seeds"] > 1 else []
    if config["data_dir"] is not None:
        words += ["--data-dir", config["data_dir"]]
    preset = settings_of(config["family"], run.event, {})
    changed = {k: v for k, v in config["settings"].items() if v != preset[k]}
    if "steps" in changed:
        words += ["--steps", str(changed.pop("steps"))]
    if changed:
        words += ["--set", *(f"{key}={value}" for key, value in changed.items())]
    if step < run.recipe.steps:  # its time was up before its schedule
        words += ["--until", str(step)]
    return shlex.join(words)
