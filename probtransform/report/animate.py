"""The one idea made visible: draws of the base, carried to the data, as frames of a film."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..core import Distribution, Event
from .journey import cloud, lights, named_stages
from .picture import BLUE, ORANGE, STYLE, box
from .samples import is_image, mosaic

WHITE = {"figure.facecolor": "white", "axes.facecolor": "white"}


def animate(
    distribution: Distribution[Any],
    params,
    key,
    event: Event,
    count: int,
    cond=None,
    real=None,
    frames: int = 60,
    inches: float = 3.6,
) -> list[np.ndarray]:
    """Frames `u8[height, width, 3]` of `count` draws on their way from the base to the data.

    Between two stages of a draw a point, or a pixel's brightness, moves on the straight line
    `(1 - s) x_i + s x_{i+1}`: the displacement of the map, not the path of a solver within it. An
    image of another size than its latent fades in. Data `real: [m, 2]` are shown faintly behind points.

    Example: `animate(d, params, key, Event((2,)), 500)` is 60 frames of `u8[360, 360, 3]`.
    Raises ValueError for fewer than two frames, and as `sample_many` does.
    """
    if frames < 2:
        raise ValueError(f"animate: got {frames} frames, wanted at least 2; show it for longer")
    names, stages = named_stages(distribution, params, key, count, cond)
    if is_image(event):
        return [
            titled(mosaic(seen, event.shape), name, inches)
            for name, seen in tween(names, lights(stages, event), frames)
        ]
    return points(names, cloud(stages, real), frames, real, inches)


def tween(names: Sequence[str], views: Sequence[np.ndarray], frames: int):
    """`(name, view)` of every frame: rest at the first, move stage by stage, rest at the last."""
    last = len(views) - 1
    for at in np.clip(np.linspace(-0.15, 1.2, frames), 0, 1) * last:
        i = min(int(at), max(last - 1, 0))
        s = at - i
        s = s * s * (3 - 2 * s)  # no jolt at either end
        title = (
            names[round(at)] if s in (0, 1) else f"{names[i]} \N{RIGHTWARDS ARROW} {names[i + 1]}"
        )
        yield title, views[i] if s == 0 else (1 - s) * views[i] + s * views[i + 1]


def points(names, views, frames: int, real, inches: float) -> list[np.ndarray]:
    """A scatter with equal axes whose box holds every stage, outliers aside."""
    whole = [z[np.isfinite(z).all(1)] for z in views]
    low, high = box(np.concatenate([np.quantile(z, [0.005, 0.995], 0) for z in whole if len(z)]))
    out = []
    with matplotlib.rc_context(STYLE | WHITE):
        figure = Figure(figsize=(inches, inches), dpi=100, layout="constrained")
        axes = figure.subplots()
        middle, half = (low + high) / 2, np.max(high - low) / 2
        (left, bottom), (right, top) = middle - half, middle + half
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        if real is not None and np.shape(real)[1:] == (2,):
            x, y = np.asarray(real)[:500].T
            axes.scatter(x, y, s=4, color=ORANGE, alpha=0.35, linewidths=0)
        moving = axes.scatter([], [], s=7, color=BLUE, alpha=0.7, linewidths=0)
        for name, x in tween(names, views, frames):
            moving.set_offsets(x)
            axes.set_title(name)
            out.append(rendered(figure))
    return out


def titled(picture: np.ndarray, name: str, inches: float) -> np.ndarray:
    """A mosaic `[h, w, 4]` on white, a whole number of dots a pixel, its stage's name above."""
    zoom = max(1, round(inches * 100 / max(picture.shape[:2])))
    picture = picture.repeat(zoom, 0).repeat(zoom, 1)
    seen = 1 - (1 - picture[..., :3]) * picture[..., 3:]
    return np.concatenate([strip(name, picture.shape[1]), np.uint8(np.round(255 * seen))])


@lru_cache(maxsize=32)
def strip(name: str, width: int) -> np.ndarray:
    """The name on white, `u8[24, width, 3]`; many frames share one."""
    with matplotlib.rc_context(STYLE | WHITE):
        figure = Figure(figsize=(width / 100, 0.24), dpi=100)
        figure.text(0.5, 0.5, name, ha="center", va="center")
        return rendered(figure)


def rendered(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
