"""The command line: list, train, sample, evaluate, compare, info."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable

from .commands import evaluate, info, list_, sample, train
from .compare import compare

DONE, FAILED, MISUSED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad usage or input (one sentence), 1 failure."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
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
    more = one.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend")
    more.help = "change other numbers"
    many = command(compare)
    many.add_argument("--families", nargs="+", metavar="FAMILY", help="(default: all)")
    many.add_argument("--seconds-each", type=float, help="end every training after so many seconds")
    many.add_argument("--workdir", help="where runs and report.html go (default: runs/DATA)")
    for sub in (one, many):
        sub.add_argument("--data", required=True, metavar="NAME_OR_PATH")
        sub.add_argument("--data-dir", help="where prepared or raw data sets lie")
        sub.add_argument("--labels", action="store_true", help="make class labels the condition")
        sub.add_argument("--seed", type=int, default=0)
    draw, judge, tell = command(sample), command(evaluate), command(info)
    for sub in (draw, judge, tell):
        sub.add_argument("run", metavar="RUN", help="the --workdir of a trained run")
    draw.add_argument("--count", type=int, default=64)
    draw.add_argument("--out", default="samples.png", help="FILE.png or FILE.npz")
    draw.add_argument("--label", type=int, help="draw under this class label")
    draw.add_argument("--seed", type=int, default=0)
    judge.add_argument("--json", action="store_true", help="print one JSON object")
    judge.add_argument("--samples", type=int, help="importance weights (default: the family's)")
    return whole
