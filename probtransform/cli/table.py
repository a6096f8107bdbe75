"""Tables on the terminal."""

from __future__ import annotations


def table(title: str, header: tuple[str, ...], rows: list[tuple]) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*header, title=title, show_header=any(header))
    for row in rows:
        drawn.add_row(*map(str, row))
    Console().print(drawn)


def shown(value) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"
