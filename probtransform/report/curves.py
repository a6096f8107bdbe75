"""Learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .picture import BLUE, INK, picture


def curves(metrics: Sequence[dict[str, Any]]) -> bytes:
    """PNG of `{"step": n, "loss/<player>": value, ...}`: the loss against the step, a panel a player.

    Raises ValueError if there is no loss among the metrics.
    """
    names = list(dict.fromkeys(name for seen in metrics for name in losses(seen)))
    if not names:
        raise ValueError(
            "curves: got no metric named loss/<player>, wanted the dicts that training logs; pass them"
        )

    def draw(panels):
        for axes, name in zip(panels, names, strict=True):
            points = [(seen["step"], float(seen[name])) for seen in metrics if name in seen]
            marker = "o" if len(points) == 1 else None  # of one point there is no line to draw
            axes.plot(*zip(*points, strict=True), color=BLUE, linewidth=1.3, marker=marker)
            axes.set(title=f"loss of the {name.removeprefix('loss/')}", xlabel="step")
            axes.grid(color=INK, alpha=0.2)

    return picture(6.4, 2.4, len(names), draw)


def losses(seen: dict[str, Any]) -> list[str]:
    """The losses themselves; `loss/<player>/se`, their error over several runs, is left aside."""
    return [name for name in seen if name.startswith("loss/") and name.count("/") == 1]
