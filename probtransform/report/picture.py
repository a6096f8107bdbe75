"""What all pictures share: PNG of a look that is legible on a light and on a dark page."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

INK, BLUE, ORANGE = "#7f858e", "#3d8bd4", "#e08a1e"  # on white and on near-black
STYLE: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def picture(
    width: float,
    height: float,
    panels: int,
    draw: Callable[[list[Any]], None],
    shared: bool = False,
) -> bytes:
    """PNG, `width` by `height` inches at 150 dots, of a row of panels that `draw(panels)` fills."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        draw(list(figure.subplots(1, panels, squeeze=False, sharex=shared, sharey=shared)[0]))
        return png(figure)


def png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", transparent=True)
    return out.getvalue()


def box(x):
    """The corners `[d], [d]` of what holds the finite ones of `x: [n, d]`, and a tenth of its width more."""
    x = x[np.isfinite(x).all(1)]
    low, high = (x.min(0), x.max(0)) if len(x) else (np.zeros(x.shape[1]), np.ones(x.shape[1]))
    margin = 0.1 * np.maximum(high - low, 1e-3)
    return low - margin, high + margin


def aspect(low, high) -> float:
    """Height over width of a box, kept between a third and three."""
    width, height = high - low
    return float(np.clip(height / width, 1 / 3, 3))
