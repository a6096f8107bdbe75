"""Networks that read images, so that samples can be compared by what is seen in them."""

from .aligner import Aligner, Alignment, alignment, digits_aligner, fashion_aligner
from .classifiers import classifier, digits_classifier, fashion_classifier
from .clip import clip_vision
from .dinov2 import dino
from .efficientnet import efficientnet_lite0
from .extractor import Extractor, features_of
from .inception import inception_v3
from .named import named, usual

__all__ = [
    "Aligner",
    "Alignment",
    "Extractor",
    "alignment",
    "classifier",
    "clip_vision",
    "digits_aligner",
    "digits_classifier",
    "dino",
    "efficientnet_lite0",
    "fashion_aligner",
    "fashion_classifier",
    "features_of",
    "inception_v3",
    "named",
    "usual",
]
