"""The page: every model in one self-contained HTML file, its numbers beside its pictures."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import groupby
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup


class Row(NamedTuple):
    """One trained model.

    family, data: names, shown as they are.         measures: the dict of `evaluation.evaluate`.
    command: the line that makes this row again.    parameters: their number.
    seconds: of training.                           seed: of everything random.
    samples, real: PNG of the model's samples, of data (None if `samples` shows both).
    curves, density: PNG, or None.
    """

    family: str
    data: str
    measures: dict[str, Any]
    parameters: int
    seconds: float
    seed: int
    command: str
    samples: bytes
    real: bytes | None = None
    curves: bytes | None = None
    density: bytes | None = None


MINUS = "\N{MINUS SIGN}"
CLAIMS = {
    "Exact": (
        "exact",
        "The number is log p(x) itself: change of variables through an invertible map, or the chain rule. "
        "Where a differential equation is solved, up to the error of its solver.",
    ),
    "Bound": (
        "bound",
        "On average the number is at most log p(x), so the true bits per dimension are at most those shown. "
        "An importance bound averages K weights, which brings it closer and keeps it a bound.",
    ),
    "Unnormalized": (
        "unnormalised",
        "log p(x) up to a constant that nobody knows. Two examples can be compared, two models cannot, "
        "and there are no bits to report.",
    ),
    "Density": (
        "bound up to a constant",
        "At most log p(x) plus an unknown constant: enough to train by, too little to report.",
    ),
    "None": (
        "none",
        "The model can only be sampled. It is judged by its samples alone.",
    ),
}


def page(
    rows: Sequence[Row],
    left_out: Mapping[str, str] = {},
    title: str = "Every generative model is a probability transformation",
) -> str:
    """One HTML file of these rows, grouped by data in their order; it refers to nothing outside itself.

    `left_out` are families without a row and why. All text is escaped. Raises ValueError if there are
    no rows or a row's claim is unknown.
    """
    if not rows:
        raise ValueError("page: got no rows, wanted one or more; train and evaluate a model first")
    for row in rows:
        if row.measures["claim"] not in CLAIMS:
            raise ValueError(
                f"page: got the claim {row.measures['claim']!r} of {row.family}, wanted one of "
                f"{sorted(CLAIMS)}; pass the dict of `evaluate`"
            )
    order = list(dict.fromkeys(row.data for row in rows))
    together = sorted(rows, key=lambda row: order.index(row.data))
    groups = [(data, list(those)) for data, those in groupby(together, lambda row: row.data)]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "uri": uri, "duration": duration}
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        title=title, groups=groups, left_out=left_out, claims=CLAIMS
    )


def number(value: float, digits: int = 3) -> str:
    """Fixed notation with a true minus sign, words for what is not finite."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{MINUS * (value < 0)}∞"
    return f"{value:.{digits}f}".replace("-", MINUS)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"


def uri(png: bytes) -> Markup:
    """A picture as part of the page."""
    return Markup("data:image/png;base64," + base64.b64encode(png).decode())
