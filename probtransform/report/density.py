"""A density in the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .picture import ORANGE, aspect, box, picture

SHADE = LinearSegmentedColormap.from_list("shade", [(0.24, 0.55, 0.83, a) for a in (0.0, 1.0)])


def heat(log_density: Callable[[np.ndarray], Any], real, size: int = 160) -> bytes:
    """PNG of `log_density: f32[n, 2] -> [n]`, in nats up to a constant, over the box of data `real: [m, 2]`.

    Opacity is `p(x) / max p` on a grid of `size` by `size` points, with data on top; values that are
    not numbers are left blank. Example: `lambda x: log_density_many(distribution, params, key, x)`.
    """
    real = np.asarray(real, float)
    low, high = box(real)

    def draw(panels):
        (axes,) = panels
        shade(axes, log_density, low, high, size)
        axes.scatter(real[:300, 0], real[:300, 1], s=3, color=ORANGE, alpha=0.7, linewidths=0)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))

    return picture(4.2, 0.4 + 3.8 * aspect(low, high), 1, draw)


def shade(axes, log_density: Callable[[np.ndarray], Any], low, high, size: int = 160) -> None:
    """`p(x) / max p` over a box as opacity; the density is asked once, `size * size` points."""
    first, second = (np.linspace(a, b, size) for a, b in zip(low, high, strict=True))
    points = np.stack(np.meshgrid(first, second), -1).reshape(-1, 2).astype(np.float32)
    log_p = np.asarray(log_density(points), float).reshape(size, size)
    p = np.exp(log_p - np.max(log_p, where=np.isfinite(log_p), initial=-1e30))
    sides = (low[0], high[0], low[1], high[1])
    axes.imshow(p, SHADE, extent=sides, origin="lower", interpolation="bilinear", vmin=0, vmax=1)
