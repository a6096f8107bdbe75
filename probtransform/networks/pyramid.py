"""The grids on which a network of images works, from a few places to all of them."""

from __future__ import annotations

from ..core.check import positive

Shape = tuple[int, int, int]


def pyramid(shape: Shape, width: int) -> list[Shape]:
    """`(height, width, channels)` of each scale, the coarsest first: 7, 14, 28 or 4, 8, 16, 32 places a side.

    Sides are halved while they are even and at least 8. Channels double with every halving, up to
    `4 width`, so that every scale costs about the same. An image of one place is one scale.
    Raises ValueError if a size is less than one or the shape is not that of an image.
    """
    if len(shape) != 3:
        raise ValueError(
            f"pyramid: got an event of shape {shape}, wanted (height, width, channels); reshape it"
        )
    h, w, channels = shape
    positive("pyramid", height=h, columns=w, channels=channels, width=width)
    grids = [(h, w, width)]
    while h % 2 == 0 and w % 2 == 0 and min(h, w) >= 8:
        h, w = h // 2, w // 2
        grids.insert(0, (h, w, width * min(2 ** len(grids), 4)))
    return grids


def reach_of(shape: Shape) -> int:
    """The size of the kernels that suit such an image: 3, and 1 where there is one place only."""
    return 3 if max(shape[:2]) > 1 else 1
