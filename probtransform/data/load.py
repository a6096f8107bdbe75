"""One name, one data set."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ..core.density import Exact
from ..core.distribution import Distribution
from ..core.draw import sample_many
from ..core.model import Batch, Event
from .dataset import Data
from .factors import RENDERED, from_factors
from .files import READERS, from_path
from .prepared import OURS, from_ours, from_theirs
from .toys import TOYS

TOY_TRAIN, TOY_TEST = 10_000, 2_000


def load(name: str, *, labels: bool = False, data_dir: str | None = None, seed: int = 0) -> Data:
    """The data called `name`, in memory, as numpy arrays in a train and a test part.

    `digits` is `uint8 [8, 8, 1]` with 17 levels, `fashion_mnist` `uint8 [28, 28, 1]` with 256; a toy
    (`moons`, `rings`, ...) is `float32 [2]` or `[3]`, unscaled; `sprites` is `uint8 [16, 16, 1]` with 17
    levels, rendered from factors; a path is the user's own data (see
    `from_path`); any other name is asked of TFDS. `labels` makes class labels the condition.
    `data_dir` is where TFDS keeps its records (and one place to look for Fashion-MNIST's files);
    `seed` draws toys and splits what is not split already.

    Example: `load("digits").train.x` is `uint8 [1437, 8, 8, 1]`.
    Raises ValueError if nothing goes by that name, it has no labels where they are asked for, or it
    cannot be read.
    """
    data = found(name, data_dir, seed)
    if labels and not data.event.classes:
        raise ValueError(
            f"{name}: got labels=True for data without labels, wanted data with some; leave labels "
            "out, or add a column `label`, an array `y` or a subfolder a class"
        )
    if not labels:
        data = data._replace(
            event=data.event._replace(classes=0), train=Batch(data.train.x), test=Batch(data.test.x)
        )
    counts = {"train": len(data.train.x), "test": len(data.test.x)}
    shown = {"levels": data.event.levels, "classes": data.event.classes, **counts}
    return data._replace(about={"name": name, **data.about, **shown})


def found(name: str, data_dir: str | None, seed: int) -> Data:
    """The data with its labels, if it has any."""
    if name in TOYS:
        return from_toy(name, seed)
    if name in OURS:
        return from_ours(name, data_dir)
    if name in RENDERED:
        return from_factors(name, seed)
    if is_path(name):
        return from_path(Path(name).expanduser(), seed)._replace(name=name)
    if data := from_theirs(name, data_dir, seed):
        return data
    raise ValueError(
        f"{name}: got a name that is no data set and no path, wanted one like {nearest(name)!r}; "
        f"our own are {', '.join((*OURS, *RENDERED, *TOYS))}"
    )


def is_path(name: str) -> bool:
    """Whether a name means a file or folder: our own sets and toys come first."""
    path = Path(name).expanduser()
    likely = path.suffix.lower() in READERS or name.startswith(("/", ".", "~")) or path.exists()
    return likely and name not in (*TOYS, *OURS, *RENDERED)


def absolute(name: str) -> str:
    """A name that means the same data from every directory."""
    return str(Path(name).expanduser().absolute()) if is_path(name) else name


def nearest(name: str) -> str:
    import tensorflow_datasets as tfds

    theirs = tfds.list_builders(with_community_datasets=False)
    return difflib.get_close_matches(name, (*OURS, *RENDERED, *TOYS, *theirs), 1, cutoff=0)[0]


def from_toy(name: str, seed: int) -> Data:
    """Draws of a toy, with labels where it has components, from keys that depend on `seed` alone."""
    shares = TOYS[name].shares
    which, rest = jax.random.split(jax.random.key(seed))
    count, cond = TOY_TRAIN + TOY_TEST, None
    if shares:
        cond = jax.random.categorical(which, jnp.log(jnp.asarray(shares)), shape=(count,))
    x = sample_many(made(name), {}, rest, count, cond, chunk=count)

    def part(rows: slice) -> Batch:
        y = None if cond is None else np.asarray(cond[rows], np.int32)
        return Batch(np.asarray(x[rows]), y)

    labels = [str(i) for i in range(len(shares))]
    rule = f"the first {TOY_TRAIN} of {count} draws train"
    about = {"source": "a toy", "split": rule, "seed": seed, "labels": labels, "scaling": None}
    event = Event(x.shape[1:], None, len(shares))
    return Data(name, event, part(slice(TOY_TRAIN)), part(slice(TOY_TRAIN, None)), about)


@cache
def made(name: str) -> Distribution[Exact]:
    """A toy made once, so that drawing from it again compiles nothing."""
    return TOYS[name].make()
