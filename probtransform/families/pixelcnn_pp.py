"""PixelCNN++: a PixelCNN whose conditionals are mixtures of logistics, for many ordered levels."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model
from ..distributions import mixture_of_logistics
from ..networks.pixel_cnn import pixel_cnn
from .autoregressive import three_symbols
from .chain import chain, symbols_of
from .pixelcnn import image_of


def pixelcnn_pp(
    event: Event,
    width: int = 48,
    depth: int = 5,
    reach: int = 1,
    mixtures: int = 5,
    dropout: float = 0.2,
    bins: int = 64,
) -> Model:
    """`p(x) = prod_i p(x_i | x_<i)`, every conditional a mixture of logistics cut into levels. Claim: Exact.

    Three numbers a component, where `pixelcnn` needs one a level. The paper couples the channels of a pixel
    by means linear in the channels before; here the network reads those channels itself, so that weights and
    scales depend on them too. An event that is no image is one row of pixels of one channel; reals are a
    histogram of `bins` cells an axis, stretched over the line.

    Example: `pixelcnn_pp(Event((32, 32, 3), levels=256))` samples `u8[32, 32, 3]`.
    Salimans et al. (2017), arXiv:1701.05517.
    """
    levels = symbols_of(event, bins)[1]
    shape = image_of(event)
    network = pixel_cnn(shape, levels, 3 * mixtures, event.classes, width, depth, reach, dropout)
    return chain(event, network, bins, mixture_of_logistics(levels))


def preset(event: Event) -> dict:
    if math.prod(event.shape) > 500:
        small = {"width": 32, "depth": 4, "mixtures": 10, "dropout": 0.0}
        return {"steps": 900, "batch": 16, "rate": 3e-3, **small}
    return {"steps": 500, "batch": 32, "rate": 2e-3, "weight_decay": 0.1, "average": 0.99}


def tiny() -> tuple[Model, Batch]:
    return pixelcnn_pp(Event((3,), levels=3), width=8, depth=1, mixtures=2), three_symbols()
