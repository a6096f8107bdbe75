"""The command line: list, train, sample, animate, evaluate, compare, report, info."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from .animate import animate
from .commands import info, list_, sample, train
from .compare import compare
from .evaluate import evaluate
from .report import report

DONE, FAILED, MISUSED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad usage or input (one sentence), 1 failure."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    remember_programs()
    warnings.showwarning = lambda message, *rest: print(f"warning: {message}", file=sys.stderr)
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or DONE
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return MISUSED
    except (OSError, FloatingPointError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return FAILED


def remember_programs() -> None:
    """What is compiled once is read from disk afterwards, by every command, unless JAX is told otherwise.

    In `programs` of `~/.cache/probtransform`, or of the folder in PROBTRANSFORM_CACHE; the least used
    go when there is more than a gigabyte. JAX reads it when it is imported, which is later.
    """
    cache = Path(os.environ.get("PROBTRANSFORM_CACHE") or "~/.cache/probtransform").expanduser()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache / "programs"))
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(10**9))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser("probtransform", description=main.__doc__)
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Callable, **options) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            run.__name__.rstrip("_"), help=run.__doc__, description=run.__doc__, **options
        )
        sub.set_defaults(command=run)
        return sub

    command(list_)
    one = command(train)
    one.add_argument("family", metavar="FAMILY")
    one.add_argument("--workdir", help="where the run lives (default: runs/DATA-FAMILY-SEED)")
    one.add_argument(
        "--steps", type=int, help="updates (default: the preset for this kind of data)"
    )
    one.add_argument("--until", type=int, help="end at this update of the schedule")
    one.add_argument(
        "--histograms", action="store_true", help="parameters and their updates to TensorBoard"
    )
    one.add_argument(
        "--profile", action="store_true", help="a JAX trace of a few steps to RUN/profile"
    )
    more = one.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend")
    more.help = "change other numbers"
    many = command(compare)
    many.add_argument("--families", nargs="+", metavar="FAMILY", help="(default: all)")
    many.add_argument("--seconds", type=float, help="for all of it, divided among the families")
    many.add_argument("--seconds-each", type=float, help="end every training after so many seconds")
    many.add_argument("--workdir", help="where runs and report.html go (default: runs/DATA)")
    for sub in (one, many):
        sub.add_argument("--data", required=True, metavar="NAME_OR_PATH")
        sub.add_argument("--data-dir", help="where prepared or raw data sets lie")
        sub.add_argument("--labels", action="store_true", help="make class labels the condition")
        sub.add_argument("--seed", type=int, default=0)
        sub.add_argument(
            "--seeds", type=int, default=1, help="train so many at once, from --seed on"
        )
    draw, film, judge, tell = (command(run) for run in (sample, animate, evaluate, info))
    for sub in (draw, film, judge, tell):
        sub.add_argument("run", metavar="RUN", help="the --workdir of a trained run")
    gather = command(report)
    gather.add_argument("runs", nargs="+", metavar="RUN", help="the --workdir of a trained run")
    gather.add_argument("--out", default="report.html")
    gather.add_argument(
        "--tables", nargs="+", default=[], metavar="JSON", help="of experiments, to stand below"
    )
    draw.add_argument("--count", type=int, default=64)
    draw.add_argument("--out", default="samples.png", help="FILE.png or FILE.npz")
    draw.add_argument("--label", type=int, help="draw under this class label")
    draw.add_argument("--seed", type=int, default=0)
    film.add_argument("--count", type=int, help="draws (default: 800 points, 36 images)")
    film.add_argument("--out", default="animation.gif", help="FILE.gif or FILE.mp4")
    film.add_argument("--seconds", type=float, default=4.0, help="length of the film")
    film.add_argument("--seed", type=int, default=0)
    judge.add_argument(
        "--features", metavar="NAME", help="digits, fashion_mnist, efficientnet, ..=FILE"
    )
    judge.add_argument("--count", type=int, help="examples in a distance (default: 2000)")
    judge.add_argument("--json", action="store_true", help="print one JSON object")
    judge.add_argument("--samples", type=int, help="importance weights (default: the family's)")
    return whole
