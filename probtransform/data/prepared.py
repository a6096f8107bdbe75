"""Data sets of TFDS, ours and theirs: prepared once, then read from ArrayRecord into memory."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.model import Batch
from .dataset import Data, divided, finite, of_bytes, of_reals

OURS = ("digits", "fashion_mnist")


def from_ours(name: str, data_dir: str | None) -> Data:
    """`digits` or `fashion_mnist`, prepared at first use.

    Raises ValueError if the files of `fashion_mnist` are not to be found.
    """
    from .builders import Digits, FashionMnist, read_bytes

    kind = {Digits.name: Digits, FashionMnist.name: FashionMnist}[name]
    builder = ready(lambda: kind(data_dir=folder(data_dir), file_format="array_record"))
    train, test = (Batch(*read_bytes(builder, split)) for split in ("train", "test"))
    about = {"source": kind.homepage, "split": kind.rule, "seed": None}
    return of_bytes(name, train, test, kind.levels, list(kind.labels), about)


def from_theirs(name: str, data_dir: str | None, seed: int) -> Data | None:
    """Any other set of TFDS with an `image`, or with one numeric feature, and perhaps a `label`.

    None if TFDS knows no such name. Where it has no test split, a fifth of the train split is held
    out. Raises ValueError if it cannot be prepared here, or its features are others.
    """
    import tensorflow_datasets as tfds

    try:
        builder = ready(
            lambda: tfds.builder(name, data_dir=folder(data_dir), file_format="array_record")
        )
        sources = {s: builder.as_data_source(split=s) for s in builder.info.splits}
    except tfds.core.DatasetNotFoundError:
        return None
    except Exception as error:  # TFDS and the network raise what they like.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{name}: got an error where TFDS prepares it ({reason}), wanted it in ArrayRecord; "
            "prepare it on a machine with TensorFlow and a network, and name its data_dir"
        ) from error
    if "train" not in sources:
        raise ValueError(
            f"{name}: got splits {sorted(sources)}, wanted one called `train`; save the split you "
            "want as .npz and load that"
        )
    features = dict(builder.info.features)
    key = numeric(name, features)
    labels = getattr(features.get("label"), "names", None) or []
    parts = {
        split: Batch(*gathered(sources[split], key, "label" if labels else None))
        for split in ("train", "test")
        if split in sources
    }
    rule: dict[str, Any] = {"split": "as published", "seed": None}
    if "test" not in parts:
        parts["train"], parts["test"], rule = divided(name, *parts["train"], seed)
    about = {"source": f"tfds {builder.info.full_name}", **rule}
    train, test = (parts[s]._replace(x=finite(name, parts[s].x)) for s in ("train", "test"))
    if train.x.dtype == np.uint8 and train.x.ndim == 4:
        return of_bytes(name, train, test, 256, labels, about)
    columns = [str(i) for i in range(train.x.shape[-1])]
    return of_reals(name, train, test, columns, labels, about)


def numeric(name: str, features) -> str:
    """The feature to model: `image`, or the one with numbers in a fixed shape."""
    fixed = {
        key: feature
        for key, feature in features.items()
        if key != "label"
        and isinstance(feature.shape, tuple)
        and feature.shape
        and None not in feature.shape
        and np.dtype(feature.np_dtype).kind in "iuf"
    }
    if "image" in fixed or len(fixed) == 1:
        return "image" if "image" in fixed else next(iter(fixed))
    raise ValueError(
        f"{name}: got features {sorted(features)}, wanted `image`, or one numeric tensor, of one "
        "fixed shape; save what you want as .npz and load that"
    )


def gathered(source, key: str, label: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    examples = source.__getitems__(range(len(source)))
    y = np.array([e[label] for e in examples], np.int32) if label else None
    return np.stack([e[key] for e in examples]), y


def ready(make: Callable[[], Any]):
    """A builder whose records exist: TFDS writes them aside and renames the folder when done."""
    import tensorflow_datasets as tfds

    builder = make()
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare()
    except OSError:
        # Another process may have been first: the folder it left is as good as ours.
        builder = make()
        if not builder.data_path.exists():
            raise
    return builder


def folder(data_dir: str | None) -> str | None:
    """Where TFDS keeps its records: as told, else `TFDS_DATA_DIR`, else TFDS's own choice."""
    told = data_dir or os.environ.get("TFDS_DATA_DIR")
    return os.path.expanduser(told) if told else None
