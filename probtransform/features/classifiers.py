"""Small classifiers of our own data, trained here and shipped: features where ImageNet's make no sense."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jax
from flax import nnx
from safetensors.numpy import load_file

from ..core import Network, from_nnx
from ..networks.convolution import Conv
from ..networks.linear import Linear
from .extractor import Extractor

he_normal = nnx.initializers.he_normal()
SHIPPED = Path(__file__).parent / "weights"


class Classifier(nnx.Module):
    """`f32[h, w, channels] -> (features f32[64], logits f32[classes])`, h and w at least 8.

    Three times `max_{2x2} silu(conv_{3x3} x)`, of 32, 48 and 96 channels, then `features = silu(linear x)`
    of all that is left and `logits = linear features`.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, rngs: nnx.Rngs):
        height, width, channels = shape
        self.conv1 = Conv(channels, 32, rngs, init=he_normal)
        self.conv2 = Conv(32, 48, rngs, init=he_normal)
        self.conv3 = Conv(48, 96, rngs, init=he_normal)
        self.features = Linear((height // 8) * (width // 8) * 96, 64, rngs=rngs)
        self.logits = Linear(64, classes, rngs=rngs)

    def __call__(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = halved(jax.nn.silu(conv(x)))
        features = jax.nn.silu(self.features(x.reshape(-1)))
        return features, self.logits(features)


def halved(x):
    """The largest of each 2 x 2 square; an odd last row or column is left out."""
    h, w, c = x.shape
    return x[: h // 2 * 2, : w // 2 * 2].reshape(h // 2, 2, w // 2, 2, c).max((1, 3))


@cache
def classifier(shape: tuple[int, int, int], classes: int) -> Network:
    """`Classifier` as a Network on one image of `shape`, without statistics of any batch.

    Raises ValueError if a side of the image is shorter than 8.
    """
    if len(shape) != 3 or min(shape[:2]) < 8:
        raise ValueError(
            f"classifier: got images of shape {shape}, wanted [height, width, channels] with sides of at "
            "least 8, as they are halved three times; resize them"
        )
    return from_nnx(lambda rngs: Classifier(shape, classes, rngs))


def digits_classifier() -> Extractor:
    """Features f32[64] and 10 logits of the 8 x 8 digits: `f32[8, 8, 1]` in [-1, 1].

    99.4% of the 360 test digits are classified right. Its weights come from
    `python -m experiments.features --data digits`, which never saw the test digits.
    """
    return shipped("digits", (8, 8, 1))


def fashion_classifier() -> Extractor:
    """Features f32[64] and 10 logits of Fashion-MNIST: `f32[28, 28, 1]` in [-1, 1].

    92.0% of the 10,000 test images are classified right. Its weights come from
    `python -m experiments.features --data fashion_mnist`, which never saw the test images.
    """
    return shipped("fashion_mnist", (28, 28, 1))


def shipped(data: str, shape: tuple[int, int, int]) -> Extractor:
    """The classifier whose weights lie beside this file, `weights/<data>.safetensors`."""
    params: dict = {}
    for name, value in load_file(SHIPPED / f"{data}.safetensors").items():
        layer, _, parameter = name.partition(".")
        params.setdefault(layer, {})[parameter] = value
    return Extractor(f"FD-{data}", params, classifier(shape, 10).apply, shape)
