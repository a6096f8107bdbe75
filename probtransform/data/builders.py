"""Our own TFDS builders: images stored as bytes in ArrayRecord, written and read without TensorFlow.

TFDS's `Image` feature asks TensorFlow to encode; a `Tensor` of bytes does not. Examples keep the
order of their source, so that a split can be named in one line.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.proto import tf_example_pb2

from .idx import read_idx

DEBIAN = "/usr/share/datasets/fashion-mnist"


class Bytes(tfds.core.GeneratorBasedBuilder):
    """Images `uint8 [height, width, channels]` and labels, in the order they are given."""

    VERSION = tfds.core.Version("1.0.0")
    shape: tuple[int, int, int]
    levels: int
    labels: tuple[str, ...]
    rule: str
    homepage: str

    def __init_subclass__(cls, **words):
        # TFDS has a `fashion_mnist` of its own, which keeps its name.
        super().__init_subclass__(skip_registration=True, **words)

    def _info(self):
        image = tfds.features.Tensor(shape=self.shape, dtype=np.uint8, encoding="bytes")
        label = tfds.features.ClassLabel(names=list(self.labels))
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            homepage=self.homepage,
            features=tfds.features.FeaturesDict({"image": image, "label": label}),
            disable_shuffling=True,
        )

    def _generate_examples(self, images, labels):
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield index, {"image": image.reshape(self.shape), "label": int(label)}


class Digits(Bytes):
    """1797 handwritten digits of 8x8 pixels with values 0 to 16, as scikit-learn holds them.

    Kaynak (1995). 1437 train, 360 test, by the one permutation that `rule` names.
    """

    name = "digits"
    shape, levels, labels = (8, 8, 1), 17, tuple("0123456789")
    rule = "the first 1437 of numpy.random.default_rng(0).permutation(1797) train"
    homepage = "https://archive.ics.uci.edu/dataset/80"

    def _split_generators(self, dl_manager):
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        shuffled = np.random.default_rng(0).permutation(len(images))
        parts = {"train": shuffled[:1437], "test": shuffled[1437:]}
        images = images.astype(np.uint8)
        return {s: self._generate_examples(images[rows], labels[rows]) for s, rows in parts.items()}


class FashionMnist(Bytes):
    """70,000 pictures of clothes of 28x28 grey pixels, 60,000 to train and 10,000 to test.

    Read from the four idx files. Xiao et al. (2017), arXiv:1708.07747.
    """

    name = "fashion_mnist"
    shape, levels = (28, 28, 1), 256
    rule = "as published"
    counts = (60_000, 10_000)
    labels = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    homepage = "https://github.com/zalandoresearch/fashion-mnist"

    def _split_generators(self, dl_manager):
        named = os.environ.get("PROBTRANSFORM_FASHION_MNIST")
        folders = [self.data_dir_root, *([named] if named else []), DEBIAN]
        parts = zip(("train", "test"), ("train", "t10k"), self.counts, strict=True)
        return {
            split: self._generate_examples(
                fashion_file(f"{part}-images-idx3-ubyte", (count, 28, 28), folders),
                fashion_file(f"{part}-labels-idx1-ubyte", (count,), folders),
            )
            for split, part, count in parts
        }


def fashion_file(stem: str, shape: tuple[int, ...], folders) -> np.ndarray:
    """The array of one idx file, from the first folder that has it, gzipped or not.

    Raises ValueError if none has, or its shape is another.
    """
    places = [Path(folder).expanduser() / (stem + end) for folder in folders for end in ("", ".gz")]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ValueError(
            f"fashion_mnist: got no {stem}[.gz] in {', '.join(map(str, folders))}, wanted the four "
            "idx files; install Debian's dataset-fashion-mnist, or fetch them from "
            "github.com/zalandoresearch/fashion-mnist and name their folder in "
            "PROBTRANSFORM_FASHION_MNIST"
        )
    values = read_idx(path)
    if values.shape != shape:
        raise ValueError(
            f"{path}: got an array of shape {values.shape}, wanted {shape}; fetch the file again"
        )
    return values


def read_bytes(builder: Bytes, split: str) -> tuple[np.ndarray, np.ndarray]:
    """A whole split, `x: uint8 [N, *shape]` and `y: int32 [N]`.

    The records are parsed here and joined at once: twice as fast as decoding them one by one.
    """
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    source = builder.as_data_source(split=split, deserialize_method=raw)
    parse = tf_example_pb2.Example.FromString
    records = [parse(r).features.feature for r in source.__getitems__(range(len(source)))]
    pixels = b"".join([r["image"].bytes_list.value[0] for r in records])
    labels = [r["label"].int64_list.value[0] for r in records]
    return (
        np.frombuffer(pixels, np.uint8).reshape(-1, *builder.shape),
        np.array(labels, np.int32),
    )
