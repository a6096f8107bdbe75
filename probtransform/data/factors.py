"""Sprites: every combination of four factors of variation, each rendered as one image."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from .dataset import Data, divided, of_bytes

RENDERED = ("sprites",)
SHAPES = ("square", "ellipse", "heart")
SIDE, FINER = 16, 4  # pixels, and points a pixel each way


class Factors(NamedTuple):
    """All combinations of factors, in raster order, the last factor fastest.

    x:      the images, `uint8 [n, height, width, 1]`.
    values: `int32 [n, factors]`, each factor's values counted from zero.
    names:  of the factors.
    sizes:  how many values each factor has; n is their product.
    """

    x: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]
    sizes: tuple[int, ...]


@cache
def sprites() -> Factors:
    """A square, an ellipse or a heart in 6 sizes at 24 x 24 places: 10,368 images of 16 x 16 pixels.

    A pixel is how many of the 4 x 4 points in it lie inside the shape, so there are 17 levels. On the square
    [-1, 1]^2, x to the right and y upwards, half the size of a shape goes evenly from 0.2 to 0.45, and its
    middle from -0.5 to 0.5. Nothing is drawn at random, and no two images agree.

    The factors of Matthey et al. (2017), github.com/deepmind/dsprites-dataset, but for rotation.
    """
    radii, places = np.linspace(0.2, 0.45, 6), np.linspace(-0.5, 0.5, 24)
    sizes = (len(SHAPES), len(radii), len(places), len(places))
    values = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), -1).astype(np.int32)
    points = (np.arange(SIDE * FINER) + 0.5) / (SIDE * FINER) * 2 - 1
    u = points[None, None, None, :] - places[:, None, None, None]
    v = points[::-1][None, None, :, None] - places[None, :, None, None]

    def drawn(shape: str, radius: float):
        inside = within(shape, u / radius, v / radius)
        cells = inside.reshape(*sizes[2:], SIDE, FINER, SIDE, FINER)
        return cells.sum((3, 5), dtype=np.uint8)

    x = np.stack([drawn(shape, radius) for shape in SHAPES for radius in radii])
    names = ("shape", "size", "x", "y")
    return Factors(x.reshape(-1, SIDE, SIDE, 1), values, names, sizes)


def within(shape: str, u, v):
    """Whether `(u, v)` lies in the shape about 0, all of which is in [-1, 1]^2."""
    if shape == "square":
        return (abs(u) <= 0.8) & (abs(v) <= 0.8)
    if shape == "ellipse":
        return u**2 + (v / 0.6) ** 2 <= 1
    u, v = 1.14 * u, 1.14 * v + 0.12  # a sextic that reaches 1.14 about (0, 0.12)
    return (u**2 + v**2 - 1) ** 3 <= u**2 * v**3


def from_factors(name: str, seed: int) -> Data:
    """The images as data, the shape their label; `seed` says which four fifths train."""
    x, values, names, sizes = {"sprites": sprites}[name]()
    train, test, about = divided(name, x, values[:, 0], seed)
    about |= {"source": "rendered", "factors": dict(zip(names, sizes, strict=True))}
    return of_bytes(name, train, test, FINER**2 + 1, list(SHAPES), about)
