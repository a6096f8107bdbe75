"""Pictures of samples: images in a grid, vectors as points."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from ..core import Event
from .picture import BLUE, ORANGE, aspect, box, picture, png


def grid(x, event: Event, real=None) -> bytes:
    """Samples `x: [n, *event]` as PNG; beside them data `real: [m, *event]`, if these are points.

    Images `[height, width, 1 or 3]`, levels or reals in [-1, 1], fill a square grid, at most 64. Vectors
    of one number make a histogram, of two a scatter, of more a scatter along the two principal axes
    of the data (of the samples, where there are no data). Samples are blue, data orange.
    """
    if is_image(event):
        return images(np.asarray(x), event)
    clouds = [np.asarray(z, float).reshape(len(z), -1) for z in (x, real) if z is not None]
    size = clouds[0].shape[1]
    if size == 1:
        return histogram(clouds)
    return scatter(clouds if size == 2 else principal(clouds), principal_axes=size > 2)


def is_image(event: Event) -> bool:
    return len(event.shape) == 3 and event.shape[2] in (1, 3)


def images(x, event: Event, columns: int | None = None) -> bytes:
    """A mosaic of images, a whole number of screen points a pixel."""
    light = (x + 1) / 2 if event.levels is None else x / (event.levels - 1)
    seen = mosaic(np.clip(np.nan_to_num(light), 0, 1), event.shape, columns)
    zoom = max(1, round(640 / max(seen.shape)))
    seen = seen.repeat(zoom, 0).repeat(zoom, 1)
    figure = Figure(figsize=(seen.shape[1] / 100, seen.shape[0] / 100), dpi=100)
    figure.figimage(seen)
    return png(figure)


def mosaic(light, shape: tuple[int, ...], columns: int | None = None) -> np.ndarray:
    """Images `[n, height, width, channels]` of brightness in [0, 1], a transparent line between them.

    They fill a square of at most 64, or whole rows of `columns`: `f64[rows * (height + 1) - 1, ..., 4]`.
    """
    height, width, channels = shape
    across = columns or max(1, math.isqrt(min(len(light), 64)))
    down = len(light) // columns if columns else across
    seen = np.zeros((down, across, height + 1, width + 1, 4))
    every = light[: down * across].reshape(down, across, height, width, channels)
    seen[:, :, :height, :width, :3] = every
    seen[:, :, :height, :width, 3] = 1
    return seen.swapaxes(1, 2).reshape(down * (height + 1), across * (width + 1), 4)[:-1, :-1]


def scatter(clouds, principal_axes: bool) -> bytes:
    """Samples, and data if there are any, each `[n, 2]`, in panels of one scale: that of the last."""
    low, high = box(clouds[-1])
    kinds = (("samples", BLUE), ("data", ORANGE))

    def draw(panels):
        for axes, z, (name, colour) in zip(panels, clouds, kinds, strict=False):
            axes.scatter(z[:2000, 0], z[:2000, 1], s=5, color=colour, alpha=0.45, linewidths=0)
            outside = np.mean(~np.all((z >= low) & (z <= high), 1))  # with what is not a number
            axes.set_title(name + (f" ({outside:.0%} outside)" if outside >= 0.005 else ""))
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
            if principal_axes:
                axes.set(xlabel="first principal axis", xticks=[], yticks=[])
            else:
                axes.set_aspect("equal")
        if principal_axes:
            panels[0].set_ylabel("second principal axis")

    tall = 1.0 if principal_axes else aspect(low, high)
    return picture(3.2 * len(clouds), 0.6 + 2.7 * tall, len(clouds), draw, shared=True)


def principal(clouds):
    """All of them along the two directions in which the last varies most."""
    last = clouds[-1][np.isfinite(clouds[-1]).all(1)]
    mean = last.mean(0) if len(last) else 0.0
    axes = np.linalg.eigh((last - mean).T @ (last - mean))[1][:, :-3:-1]
    return [(z - mean) @ axes for z in clouds]


def histogram(clouds) -> bytes:
    (low,), (high,) = box(clouds[-1])
    bins = np.linspace(low, high, 41)

    def draw(panels):
        panels[0].hist(clouds[0][:, 0], bins, density=True, color=BLUE, alpha=0.6, label="samples")
        for z in clouds[1:]:
            panels[0].hist(z[:, 0], bins, density=True, color=ORANGE, histtype="step", label="data")
        panels[0].legend(frameon=False)

    return picture(6.4, 3.0, 1, draw)
