"""Extractors by the names that a command line has for them."""

from __future__ import annotations

from collections.abc import Callable

from .classifiers import digits_classifier, fashion_classifier
from .clip import clip_vision
from .dinov2 import dino
from .efficientnet import efficientnet_lite0
from .extractor import Extractor
from .inception import inception_v3

CARRIED: dict[str, Callable[[], Extractor]] = {
    "digits": digits_classifier,
    "fashion_mnist": fashion_classifier,
    "efficientnet": efficientnet_lite0,
}
BROUGHT: dict[str, Callable[[str], Extractor]] = {
    "inception": inception_v3,
    "clip": clip_vision,
    "dino": dino,
}


def named(text: str) -> Extractor:
    """The extractor called `digits`, `fashion_mnist` or `efficientnet`, or `inception=FILE`, `clip=FILE`,
    `dino=FILE` with the safetensors file of its weights.

    Raises ValueError for another name, and as the extractors do.
    """
    name, _, weights = text.partition("=")
    if name in CARRIED and not weights:
        return CARRIED[name]()
    if name in BROUGHT and weights:
        return BROUGHT[name](weights)
    wanted = [*CARRIED, *(f"{name}=FILE.safetensors" for name in BROUGHT)]
    raise ValueError(f"features: got {text!r}, wanted one of {', '.join(wanted)}; choose one")


def usual(data: str) -> Extractor | None:
    """The classifier that was trained on the data set of that name; None for all others."""
    return CARRIED[data]() if data in ("digits", "fashion_mnist") else None
