"""Every family on the same data, evaluated alike, on one page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .commands import interruptible, painter, within
from .evaluate import floor_of
from .report import row_of, write
from .table import shown, table

REFRESH = 30  # seconds after which the page is written anew while others train
SHORT = 12  # seconds a family, in all, below which films and walks are left out
COLUMNS = ("family", "claim", "bits_per_dim", "mmd", "sliced_wasserstein", "seconds")


def compare(options) -> int:
    """train families on the same data, evaluate them alike, and write one page: report.html"""
    began = time.monotonic()
    from ..data import load
    from ..families import registry
    from ..training.run import family_of
    from ..training.workdir import describe, train

    names = options.families or list(registry)
    for name in names:
        family_of(name)
    within("seed", options.seed, 0)
    within("seeds", options.seeds, 1)
    for option in ("seconds", "seconds_each"):
        limit = getattr(options, option)
        if limit is not None and not limit > 0:
            raise ValueError(
                f"--{option.replace('_', '-')}: got {limit}, wanted more than 0; leave it out"
            )
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    workdir = Path(options.workdir or f"runs/{Path(options.data).stem}")
    stop = interruptible()

    floor = floor_of(data)
    rows: list[Any] = []
    left_out: dict[str, str] = {}
    runs: dict[str, Any] = {}
    beside: list[float] = []  # seconds, for each run, of all that is not training
    failures, written = 0, began
    for name in names:
        try:
            given = (options.data_dir, options.labels, options.seed)
            runs[name] = describe(name, data, *given, {}, options.seeds)
        except ValueError as error:  # this family does not take this kind of data
            left_out[name] = str(error)
    for i, (name, run) in enumerate(runs.items()):
        start = time.monotonic()
        left = None if options.seconds is None else began + options.seconds - start
        if left is not None and left <= 0 and rows and not (workdir / name).exists():
            left_out[name] = (
                f"the {options.seconds:g} seconds were used up; give more with --seconds"
            )
            continue
        short = left is not None and left / (len(runs) - i) < SHORT
        budget = share(left, beside, len(runs) - i, options.seconds_each)
        try:
            train(
                run,
                data.train,
                workdir / name,
                pictures=None if short else painter(run, data),
                seconds=budget,
                stop=stop,
            )
        except FloatingPointError as error:
            left_out[name] = str(error)
            failures += 1
            continue
        if stop():
            if rows:
                write(workdir / "report.html", rows, left_out)
            print(f"stopped and saved in {workdir}; the same command goes on from there")
            return 0
        trained = time.monotonic()
        rows.append(row_of(workdir / name, data, floor, short))
        if time.monotonic() - written > REFRESH:
            write(workdir / "report.html", rows, left_out)
            written = time.monotonic()
        beside.append(time.monotonic() - trained)
    if rows:
        write(workdir / "report.html", rows, left_out)
    for name, why in left_out.items():
        print(f"{name}: left out ({why})")
    if rows:
        shown_rows = [
            (row.family, *(shown(row.measures.get(column)) for column in COLUMNS[1:]))
            for row in rows
        ]
        table(f"{options.data}, seed {options.seed}", COLUMNS, shown_rows)
        print(f"report: {workdir / 'report.html'}")
    return 1 if failures or not rows else 0


def share(
    left: float | None, beside: list[float], runs: int, each: float | None = None
) -> float | None:
    """Seconds of training for the next of `runs` runs: an equal part of the seconds `left`, at most `each`.

    Of its part a run also pays for what comes beside training, numbers and pictures: the mean of what
    that took so far. What a run does not need goes to those after it. None is without end.
    """
    parts = [each] if each is not None else []
    if left is not None:
        usual = sum(beside) / len(beside) if beside else 0.0
        parts.append(max(0.0, left / runs - usual))
    return min(parts, default=None)
