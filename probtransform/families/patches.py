"""Images as tokens: what the flows over patches share."""

from __future__ import annotations

import math

from ..core import Exact, Transform
from ..transforms import compose, invert, reshape, squeeze


def tokens_of(shape: tuple[int, ...], patch: int) -> tuple[int, int]:
    """How many tokens data of this shape make, and how many numbers each has.

    Raises ValueError for an image whose sides `patch` does not divide.
    """
    if len(shape) != 3:
        return math.prod(shape), 1
    squeeze(shape, patch)  # refuses what it cannot cut
    numbers = patch * patch * shape[2]
    return math.prod(shape) // numbers, numbers


def patches(shape: tuple[int, ...], patch: int) -> Transform[Exact]:
    """`f32[tokens, numbers]`, row by row of the image, to `f32[d]`, pixel by pixel; the weight is zero."""
    size, numbers = tokens_of(shape, patch)
    if len(shape) != 3:
        return invert(reshape((size, numbers)))
    deep = (shape[0] // patch, shape[1] // patch, numbers)
    return compose(
        tokens=invert(reshape((size, numbers))),
        places=reshape(deep),
        space=invert(squeeze(shape, patch)),
        pixels=invert(reshape(shape)),
    )
