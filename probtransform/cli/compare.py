"""Every family on the same data, evaluated alike, on one page."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

from .commands import measured, painter, table


def compare(options) -> int:
    """train families on the same data, evaluate them alike, and write one page: report.html"""
    import jax
    import numpy as np

    from ..core import sample_many
    from ..data import load
    from ..families import registry
    from ..report import Row, page
    from ..training.run import family_of
    from ..training.watch import read_lines
    from ..training.workdir import describe, load_run, train

    names = options.families or list(registry)
    for name in names:
        family_of(name)
    if options.seconds_each is not None and not options.seconds_each > 0:
        raise ValueError(f"--seconds-each: got {options.seconds_each}, wanted more than 0; leave it out")
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    workdir = Path(options.workdir or f"runs/{Path(options.data).stem}")
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, frame: asked.append(got))

    rows, failures = [], 0
    for name in names:
        place = workdir / name
        try:
            run = describe(name, data, options.data_dir, options.labels, options.seed, {})
        except ValueError as error:  # this family does not take this kind of data
            print(f"{name}: left out ({error})")
            rows.append(Row(name, None, str(error)))
            continue
        try:
            train(
                run,
                data.train,
                place,
                pictures=painter(run, data),
                seconds=options.seconds_each,
                stop=lambda: bool(asked),
            )
        except FloatingPointError as error:
            print(f"{name}: failed ({error})")
            rows.append(Row(name, None, str(error)))
            failures += 1
            continue
        if asked:
            print(f"stopped and saved in {workdir}; the same command goes on from there")
            return 0
        ...
    return 1 if failures else 0
