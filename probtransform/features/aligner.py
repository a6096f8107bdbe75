"""Small aligners of images and labels, trained here and shipped: does an image show what was asked for?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors.numpy import load_file

from ..core import Network, from_nnx
from ..networks.linear import Linear
from ..objectives.contrastive.nt_xent import unit
from ..objectives.contrastive.sides import sharpness
from .classifiers import SHIPPED, Conv, halved
from .extractor import Extractor

SIZE = 32  # numbers of an embedding


class Aligner(NamedTuple):
    """extractor: of images; features are embeddings of length one, logits the scores f of every label.
    labels: `f32[classes, k]`, the labels' embeddings of length one.

    `f(x, y) = scale cos(g(x), h(y)) + bias` is `log p(x, y) / p(x) p(y)` as far as it was learned, up to a
    constant, so `softmax f(x, .)` is `p(y | x)` where labels are equally frequent.
    """

    extractor: Extractor
    labels: np.ndarray


class Alignment(NamedTuple):
    """cosine: of each image and its label, `f32[n]` in [-1, 1].
    retrieved: the share of images whose own label is the nearest of all."""

    cosine: np.ndarray
    retrieved: float


def alignment(aligner: Aligner, features, labels) -> Alignment:
    """How well images show their labels: `features: f32[n, k]` of the aligner's extractor, `labels: i32[n]`.

    A mean cosine is to be read beside that of real images. Hessel et al. (2021), arXiv:2104.08718.
    Raises ValueError unless there is a label `0 .. classes - 1` for each row of features, each of
    length 1.
    """
    features, labels = np.asarray(features, np.float32), np.asarray(labels)
    classes, k = aligner.labels.shape
    if features.ndim != 2 or features.shape[1] != k or labels.shape != features.shape[:1]:
        raise ValueError(
            f"alignment: got features of shape {features.shape} and labels of shape {labels.shape}, wanted "
            f"[n, {k}] and [n]; take features_of(aligner.extractor, images)"
        )
    known = labels.size and np.issubdtype(labels.dtype, np.integer)
    if not known or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"alignment: got labels that are not whole numbers 0..{classes - 1}, wanted one for each image; "
            "pass the labels that the images were made of"
        )
    lengths = np.linalg.norm(features, axis=1)
    if not (abs(lengths - 1) < 1e-3).all():  # so written, NaN is refused too
        raise ValueError(
            f"alignment: got features of lengths {lengths.min():g} to {lengths.max():g}, wanted length 1, as "
            "cosines are; take features_of(aligner.extractor, images)"
        )
    cosines = features @ aligner.labels.T
    own = cosines[np.arange(len(labels)), labels]
    return Alignment(own, float((cosines.argmax(1) == labels).mean()))


class ImageSide(nnx.Module):
    """`f32[h, w, channels] -> f32[32]`: three times `max_{2x2} silu(conv_{3x3} x)`, then a linear map."""

    def __init__(self, shape: tuple[int, int, int], rngs: nnx.Rngs):
        height, width, channels = shape
        self.conv1 = Conv(channels, 16, rngs)
        self.conv2 = Conv(16, 24, rngs)
        self.conv3 = Conv(24, 32, rngs)
        self.last = Linear((height // 8) * (width // 8) * 32, SIZE, rngs=rngs)

    def __call__(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = halved(jax.nn.silu(conv(x)))
        return self.last(x.reshape(-1))


@cache
def image_side(shape: tuple[int, int, int]) -> Network:
    """The encoder of images as a Network, `f32[h, w, channels] -> f32[32]`, of any length.

    Raises ValueError if a side of the image is shorter than 8.
    """
    if len(shape) != 3 or min(shape[:2]) < 8:
        raise ValueError(
            f"aligner: got images of shape {shape}, wanted [height, width, channels] with sides of at least "
            "8, as they are halved three times; resize them"
        )
    return from_nnx(lambda rngs: ImageSide(shape, rngs))


@cache
def label_side(classes: int) -> Network:
    """The encoder of labels as a Network, `i32 -> f32[32]`: a row of a table, the label as the only word.

    A label that is none of them gives NaNs, as in `one_hot` within a program.
    """

    def init(key):
        return {"rows": jax.random.normal(key, (classes, SIZE))}

    def apply(params, label):
        known = (label >= 0) & (label < classes)
        return jnp.where(known, jnp.asarray(params["rows"])[label], jnp.nan)

    return Network(init, apply)


@cache
def both_sides(shape: tuple[int, int, int]) -> Callable:
    """`(params, image) -> (embedding, scores of every label)`: one function, so one program, a shape."""
    images = image_side(shape)

    def apply(params, image):
        found = unit(images.apply(params["left"], image))
        cosines = unit(params["right"]["rows"]) @ found
        return found, sharpness(params["log_scale"]) * cosines + params["bias"]

    return apply


def aligner_of(name: str, params: Any, shape: tuple[int, int, int]) -> Aligner:
    """The aligner of trained parameters `{"left", "right", "log_scale", "bias"}`."""
    table = np.asarray(params["right"]["rows"])
    labels = table / np.linalg.norm(table, axis=1, keepdims=True)
    return Aligner(Extractor(name, params, both_sides(shape), shape), labels)


def digits_aligner() -> Aligner:
    """Of the 8 x 8 digits, `f32[8, 8, 1]` in [-1, 1], and their ten labels.

    98.6% of the 360 test digits find their label. Its weights come from
    `python -m experiments.aligner --data digits`, which never saw the test digits.
    """
    return shipped("digits", (8, 8, 1))


def fashion_aligner() -> Aligner:
    """Of Fashion-MNIST, `f32[28, 28, 1]` in [-1, 1], and its ten labels.

    90.3% of the 10,000 test images find their label. Its weights come from
    `python -m experiments.aligner --data fashion_mnist`, which never saw the test images.
    """
    return shipped("fashion_mnist", (28, 28, 1))


def shipped(data: str, shape: tuple[int, int, int]) -> Aligner:
    """The aligner whose weights lie beside this file, `weights/<data>_aligner.safetensors`."""
    params: dict = {}
    for name, value in load_file(SHIPPED / f"{data}_aligner.safetensors").items():
        *blocks, last = name.split(".")
        place = params
        for block in blocks:
            place = place.setdefault(block, {})
        place[last] = value
    return aligner_of(f"aligner-{data}", params, shape)
