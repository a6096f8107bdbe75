"""Every family on the same data, evaluated alike, on one page."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from .commands import LOOK, interruptible, measured, painter, shown, table

COLUMNS = ("family", "claim", "bits_per_dim", "mmd", "sliced_wasserstein", "seconds")


def compare(options) -> int:
    """train families on the same data, evaluate them alike, and write one page: report.html"""
    from ..data import load
    from ..families import registry
    from ..report import page
    from ..training.run import family_of
    from ..training.workdir import describe, train

    names = options.families or list(registry)
    for name in names:
        family_of(name)
    if options.seconds_each is not None and not options.seconds_each > 0:
        raise ValueError(
            f"--seconds-each: got {options.seconds_each}, wanted more than 0; leave it out"
        )
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    workdir = Path(options.workdir or f"runs/{Path(options.data).stem}")
    stop = interruptible()

    rows: list[Any] = []
    left_out: dict[str, str] = {}
    failures = 0
    for name in names:
        try:
            run = describe(name, data, options.data_dir, options.labels, options.seed, {})
        except ValueError as error:  # this family does not take this kind of data
            left_out[name] = str(error)
            continue
        try:
            train(
                run,
                data.train,
                workdir / name,
                pictures=painter(run, data),
                seconds=options.seconds_each,
                stop=stop,
            )
        except FloatingPointError as error:
            left_out[name] = str(error)
            failures += 1
            continue
        if stop():
            print(f"stopped and saved in {workdir}; the same command goes on from there")
            return 0
        rows.append(row_of(workdir / name, data, options))
        (workdir / "report.html").write_text(page(rows, left_out), encoding="utf-8")
    for name, why in left_out.items():
        print(f"{name}: left out ({why})")
    if rows:
        shown_rows = [
            (row.family, *(shown(row.measures[column]) for column in COLUMNS[1:])) for row in rows
        ]
        table(f"{options.data}, seed {options.seed}", COLUMNS, shown_rows)
        print(f"report: {workdir / 'report.html'}")
    return 1 if failures or not rows else 0


def row_of(directory: Path, data, options):
    """The row of a trained run: its numbers, its pictures, and the command that makes it again."""
    import jax

    from ..core import Exact, log_density_many, sample_many
    from ..report import Row, curves, grid, heat
    from ..training.watch import read_lines
    from ..training.workdir import load_run

    measures = measured(directory, data)
    run, params, step, seconds = load_run(directory)
    distribution: Any = run.model.distribution
    event, key = run.event, jax.random.key(options.seed)
    real = data.test._replace(
        x=data.test.x[:LOOK], cond=jax.tree.map(lambda c: c[:LOOK], data.test.cond)
    )
    x = sample_many(distribution, params, key, len(real.x), real.cond)
    picture = len(event.shape) == 3
    density = None
    if isinstance(distribution.density, Exact) and event.shape == (2,) and not event.classes:
        density = heat(
            lambda at: log_density_many(distribution, params, key, at, None, 30_000), real.x
        )
    history = [line for line in read_lines(directory / "metrics.jsonl") if line["step"] <= step]
    command = ["probtransform", "train", run.config["family"], "--data", options.data]
    command += ["--seed", str(options.seed)] + ["--labels"] * options.labels
    return Row(
        family=run.config["family"],
        data=options.data,
        measures=measures,
        parameters=measures["parameters"],
        seconds=seconds,
        seed=options.seed,
        command=shlex.join(command),
        samples=grid(x, event, None if picture else real.x),
        real=grid(real.x, event) if picture else None,
        curves=curves(history) if history else None,
        density=density,
    )
