"""A table that an experiment wrote, to stand on the page below the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Table(NamedTuple):
    """title, note: sentences.  header: of each column.  rows: cells as shown, the first a heading."""

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]


def read_table(path: str | Path) -> Table:
    """The `Table` in a JSON file, an object of its four fields; others are left alone.

    Raises ValueError unless the file is one, with as many cells in each row as there are headings.
    """
    try:
        written = json.loads(Path(path).read_text(encoding="utf-8"))
        table = Table(*(written[field] for field in Table._fields))
        fits = all(len(row) == len(table.header) for row in table.rows)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"table: got {path}, no table ({error!r}), wanted JSON with title, note, header and rows; "
            "write it with `python -m experiments.transfer --results FILE`"
        ) from error
    if not fits:
        raise ValueError(
            f"table: got rows of {sorted({len(row) for row in table.rows})} cells in {path}, wanted "
            f"{len(table.header)}, one a heading; write it again"
        )
    return table
