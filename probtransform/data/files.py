"""The user's own data: a folder of images, arrays, or a table."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .dataset import Data, divided, encoded, finite, of_bytes, of_reals
from .images import images


class Table(NamedTuple):
    """What a file holds: `x: [N, ...]`, a label for each or None, and the columns' names."""

    x: np.ndarray
    y: np.ndarray | None = None
    columns: list[str] | None = None


def from_path(path: Path, seed: int) -> Data:
    """The data in a file or folder, one fifth of it held out.

    A folder of images, or uint8 `[N, H, W]` or `[N, H, W, C]`: an event `(H, W, C)` of 256 levels.
    Any other numbers: reals, standardised along their last axis. `.npz` holds one array, or `x` and
    perhaps `y`; `.csv` and `.parquet` hold numeric columns, the one named `label` apart.
    Raises ValueError for anything absent, unreadable, or not of this form.
    """
    if not path.exists():
        raise ValueError(f"{path}: got no file or folder there, wanted one; check the path")
    name = str(path)
    x, y, columns = Table(*images(path)) if path.is_dir() else reader(path)(path)
    if x.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: got values of type {x.dtype}, wanted real numbers; convert and save them anew"
        )
    if x.size == 0 or x.ndim == 0:
        raise ValueError(
            f"{name}: got an array of shape {x.shape}, wanted [examples, ...] with something in it; "
            "check how it was made"
        )
    y, labels = encoded(name, y, len(x))
    pixels = x.dtype == np.uint8 and x.ndim >= 3
    if x.ndim == 1 or (pixels and x.ndim == 3):
        x = x[..., None]
    train, test, rule = divided(name, finite(name, x), y, seed)
    about = {"source": name, "digest": digest(x, y), **rule}
    if pixels:
        return of_bytes(name, train, test, 256, labels, about)
    columns = columns or [str(i) for i in range(x.shape[-1])]
    return of_reals(name, train, test, columns, labels, about)


def digest(x: np.ndarray, y: np.ndarray | None) -> str:
    """A fingerprint of the numbers in a file, by which it is known again."""
    whole = hashlib.blake2b(f"{x.dtype.str}{x.shape}".encode(), digest_size=16)
    for values in (x,) if y is None else (x, y):
        whole.update(values.tobytes())
    return whole.hexdigest()


def arrays(path: Path) -> Table:
    """The array of an `.npy`, or of an `.npz` with one, or its `x` and perhaps `y`."""
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return Table(found)
        with found:
            named = {key: found[key] for key in found.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: got no plain numpy array (pickled objects are never read), wanted numbers; "
            "save them again with np.save or np.savez"
        ) from error
    if "x" in named:
        return Table(named["x"], named.get("y"))
    if len(named) == 1:
        return Table(*named.values())
    raise ValueError(
        f"{path}: got arrays {sorted(named)}, wanted one array, or `x` and perhaps `y`; "
        "save them as np.savez(path, x=..., y=...)"
    )


def csv(path: Path) -> Table:
    import pandas

    return table(path, pandas.read_csv)


def parquet(path: Path) -> Table:
    import pandas

    return table(path, pandas.read_parquet)


def table(path: Path, read) -> Table:
    """The numeric columns of a table, and its column `label`."""
    from pandas.api.types import is_numeric_dtype

    try:
        frame = read(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{path}: got a file that is no {path.suffix} table, wanted rows under named columns; "
            "save it again"
        ) from error
    labels = frame.pop("label") if "label" in frame else None
    columns = [str(column) for column in frame.columns]
    # Years may name columns; 0.13 and -2 do not.
    if all(map(is_number, columns)) and not all(map(str.isdigit, columns)):
        raise ValueError(
            f"{path}: got numbers {columns[:3]} where names of columns belong, wanted names; "
            "add a first line that names them"
        )
    words = [str(c) for c in frame.columns if not is_numeric_dtype(frame[c])]
    if words:
        raise ValueError(
            f"{path}: got columns {words} that are not numeric, wanted numbers, and at most one "
            "column of words named `label`; drop or encode them"
        )
    return Table(frame.to_numpy(np.float64), None if labels is None else plain(labels), columns)


def plain(labels) -> np.ndarray:
    """A column of labels as numbers or words; gaps leave it an object array, which is refused."""
    values = labels.to_numpy()
    if values.dtype.kind == "O" and not labels.isna().any():
        return values.astype(str)
    return values


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


READERS = {".npy": arrays, ".npz": arrays, ".csv": csv, ".parquet": parquet}


def reader(path: Path):
    try:
        return READERS[path.suffix.lower()]
    except KeyError:
        raise ValueError(
            f"{path}: got a file ending in {path.suffix or 'nothing'!r}, wanted "
            f"{', '.join(READERS)}, or a folder of images; convert it"
        ) from None
