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

from .metrics import CORRUPTIONS, Column, best_of, columns_of, reasons
from .table import Table


class Row(NamedTuple):
    """One trained model.

    family, data: names, shown as they are.         measures: the dict of `evaluation.evaluate`.
    command: the line that makes this row again.    parameters: their number.
    seconds: of training.                           memory: bytes that training needs, or None.
    seed: of everything random.                     seeds: how many were trained at once, from it on.
    samples, real: PNG of the model's samples, of data (None if `samples` shows both).
    curves, density, transport, interpolation: PNG, or None.
    animation: GIF, or None.                        skipped: {picture: why there is none}.
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
    transport: bytes | None = None
    interpolation: bytes | None = None
    animation: bytes | None = None
    skipped: Mapping[str, str] = {}
    memory: int | None = None
    seeds: int = 1


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
        "log p(x) up to a constant that nobody knows: two examples can be compared, two models cannot. "
        "Where the constant could be annealed from both ends, the bits are an interval.",
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
    tables: Sequence[Table] = (),
) -> str:
    """One HTML file of these rows, grouped by data in their order; it refers to nothing outside itself.

    `left_out` are families without a row and why; `tables` stand below the models. All text is escaped.
    Raises ValueError if there are no rows or a row's claim is unknown.
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
    groups = [
        (data, those, columns_of([row.measures for row in those]))
        for data, those in ((d, list(g)) for d, g in groupby(together, lambda row: row.data))
    ]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": number,
        "uri": uri,
        "duration": duration,
        "size": size,
        "in_order": in_order,
    }
    environment.globals |= {"best_of": best_of, "reasons": reasons, "corruptions": CORRUPTIONS}
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    glossary = dict.fromkeys(c for *_, columns in groups for c in columns if c.meaning)
    return environment.from_string(template).render(
        title=title,
        groups=groups,
        left_out=left_out,
        tables=tables,
        claims=CLAIMS,
        glossary=glossary,
    )


def in_order(columns: Sequence[Column]) -> list[tuple[str, list[Column]]]:
    """Columns that stand side by side in one group, as `(group, columns)`."""
    return [(name, list(those)) for name, those in groupby(columns, lambda column: column.group)]


def size(count: float) -> str:
    return f"{count / 2**20:,.0f} MiB"


def number(value: float, digits: int = 3) -> str:
    """Fixed notation with a true minus sign, words for what is not finite."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{MINUS * (value < 0)}∞"
    return f"{value:.{digits}f}".replace("-", MINUS)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"


def uri(picture: bytes) -> Markup:
    """A PNG or a GIF as part of the page."""
    kind = "gif" if picture[:4] == b"GIF8" else "png"
    return Markup(f"data:image/{kind};base64," + base64.b64encode(picture).decode())
