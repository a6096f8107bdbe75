"""Timing several ways of one computation against one another, on a machine that is never quite idle.

Runs alternate, so that a disturbance meets all alike; compilation is apart, results are waited for;
the order is reversed every other round. Minima show what the machine can do, medians what it did.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax


class Measure(NamedTuple):
    """Seconds of one call: smallest and median of wall-clock and of CPU time over all threads.

    `ratio` and `cpu_ratio` are minima over those of the reference; `pairs` is the median over rounds of
    the ratio to the reference's wall-clock time in the same round.
    """

    wall: float
    wall_median: float
    cpu: float
    cpu_median: float
    ratio: float
    pairs: float
    cpu_ratio: float


def clocked(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one call, its result waited for."""
    cpu, wall = time.process_time(), time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - wall, time.process_time() - cpu


def interleaved(
    runs: dict[str, Callable[[], Any]],
    against: str,
    rounds: int = 15,
    clock: Callable[[Any], tuple[float, float]] = clocked,
) -> dict[str, Measure]:
    """Each of `runs` once a round; `against` names the reference of the ratios.

    Two calls of each come first and are not counted: they compile and touch the memory.
    """
    for run in runs.values():
        clock(run), clock(run)
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for i in range(rounds):
        for name in list(runs)[:: -1 if i % 2 else 1]:
            seen[name].append(clock(runs[name]))
    wall = {name: [w for w, _ in times] for name, times in seen.items()}
    cpu = {name: [c for _, c in times] for name, times in seen.items()}
    return {
        name: Measure(
            min(wall[name]),
            median(wall[name]),
            min(cpu[name]),
            median(cpu[name]),
            min(wall[name]) / min(wall[against]),
            median(a / b for a, b in zip(wall[name], wall[against], strict=True)),
            min(cpu[name]) / min(cpu[against]),
        )
        for name in runs
    }


def repeated(fn: Callable[..., Any], times: int, *arguments) -> Callable[[], Any]:
    """`times` calls in a row as one run, for what is too short to time alone."""

    def run():
        for _ in range(times):
            result = jax.block_until_ready(fn(*arguments))
        return result

    return run


class Row(NamedTuple):
    """A figure and its bar: `at_most` says whether the figure should stay below it or above.

    `note` is printed beside it, `detail` only written.
    """

    name: str
    measured: float
    bar: float
    at_most: bool = True
    note: str = ""
    detail: Any = None

    @property
    def ok(self) -> bool:
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


def over(name: str, measure: Measure, bar: float, detail: Any, at_most: bool = True) -> Row:
    """The row of a ratio of wall-clock minima; where other work runs, the other ratios tell more."""
    note = f"pairs {measure.pairs:.3f}, CPU {measure.cpu_ratio:.3f}"
    return Row(name, measure.ratio, bar, at_most, note, detail)


def show(row: Row) -> Row:
    """Print `name  measured  bar  ok` or `MISSED`, and the note."""
    sign = "<=" if row.at_most else ">="
    verdict = "ok" if row.ok else "MISSED"
    print(
        f"{row.name:52s} {row.measured:7.3f}  {sign} {row.bar:g}  {verdict:6s}  {row.note}",
        flush=True,
    )
    return row


def publish(name: str, rows: list[Row], **about) -> None:
    """Write rows and the machine into `benchmarks/results/<name>.json`."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    kept = [row._asdict() | {"ok": row.ok} for row in rows]
    written = {"machine": machine(), **about, "rows": kept}
    path.write_text(json.dumps(written, indent=1, default=lambda m: m._asdict()) + "\n")


def machine() -> dict[str, Any]:
    """What the figures were taken on, and the load that it had."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": date.today().isoformat(),
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": platform.system(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "device": jax.devices()[0].device_kind,
    }
