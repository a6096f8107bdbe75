"""PixelCNN: each pixel read in the light of those above and to the left."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model
from ..networks.pixel_cnn import pixel_cnn
from .autoregressive import three_symbols
from .chain import chain, symbols_of


def pixelcnn(
    event: Event,
    width: int = 48,
    depth: int = 5,
    reach: int = 1,
    dropout: float = 0.2,
    bins: int = 64,
) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, all from one gated causal convolutional network. Claim: Exact.

    Channel k of a pixel reads all pixels before it within reach, and the channels before k. Sampling keeps
    features, so that an image costs about one pass. An event that is no image is one row of pixels of one
    channel; reals are a histogram of `bins` cells an axis, stretched over the line.

    Example: `pixelcnn(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    van den Oord et al. (2016), arXiv:1606.05328.
    """
    levels = symbols_of(event, bins)[1]
    shape = image_of(event)
    network = pixel_cnn(shape, levels, levels, event.classes, width, depth, reach, dropout)
    return chain(event, network, bins)


def image_of(event: Event) -> tuple[int, int, int]:
    """Height, width and channels of an image; of anything else, one row of pixels of one channel."""
    if len(event.shape) == 3:
        h, w, c = event.shape
        return h, w, c
    return 1, math.prod(event.shape), 1


def preset(event: Event) -> dict:
    return {"steps": 500, "batch": 32, "rate": 2e-3, "weight_decay": 0.1, "average": 0.99}


def tiny() -> tuple[Model, Batch]:
    return pixelcnn(Event((3,), levels=3), width=8, depth=1), three_symbols()
