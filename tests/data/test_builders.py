"""Our TFDS builders against the sources they read, prepared into an empty folder."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from probtransform.data import builders
from probtransform.data.builders import DEBIAN, Digits, fashion_file, read_bytes
from probtransform.data.idx import read_idx
from probtransform.data.prepared import ready


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    return ready(lambda: Digits(data_dir=folder, file_format="array_record"))


def test_digits_are_scikit_learns_in_the_stated_split(digits):
    raw = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    for split, rows in (("train", order[:1437]), ("test", order[1437:])):
        x, y = read_bytes(digits, split)
        assert x.dtype == np.uint8 and y.dtype == np.int32 and x.shape == (len(rows), 8, 8, 1)
        np.testing.assert_array_equal(x[..., 0], raw.images[rows])
        np.testing.assert_array_equal(y, raw.target[rows])


def test_tfds_reads_the_same_records(digits):
    source = digits.as_data_source(split="test")
    x, y = read_bytes(digits, "test")
    assert len(source) == 360 and digits.info.splits["train"].num_examples == 1437
    for i in (0, 7, 359):
        np.testing.assert_array_equal(source[i]["image"], x[i])
        assert source[i]["label"] == y[i]


def test_prepared_once_and_whole(digits, capfd):
    folder = Path(digits.data_path)
    records = sorted(folder.glob("*.array_record*"))
    assert len(records) == 2 and not list(folder.parent.glob("*incomplete*"))
    before = [record.stat().st_mtime_ns for record in records]
    again = ready(lambda: Digits(data_dir=digits.data_dir_root, file_format="array_record"))
    np.testing.assert_array_equal(read_bytes(again, "test")[1], read_bytes(digits, "test")[1])
    assert [record.stat().st_mtime_ns for record in records] == before
    assert capfd.readouterr() == ("", "")


def test_says_nothing_while_it_prepares(tmp_path, capfd):
    ready(lambda: Digits(data_dir=tmp_path, file_format="array_record"))
    assert capfd.readouterr() == ("", "")


def test_another_process_may_be_first(tmp_path, monkeypatch):
    def beaten(self, *args, **words):
        monkeypatch.undo()
        Digits(data_dir=tmp_path, file_format="array_record").download_and_prepare()
        raise OSError("Directory not empty")

    monkeypatch.setattr(Digits, "download_and_prepare", beaten)
    builder = ready(lambda: Digits(data_dir=tmp_path, file_format="array_record"))
    assert len(read_bytes(builder, "train")[0]) == 1437


def test_a_full_disk_is_not_another_process(tmp_path, monkeypatch):
    def full(self, *args, **words):
        raise OSError("No space left on device")

    monkeypatch.setattr(Digits, "download_and_prepare", full)
    with pytest.raises(OSError, match="No space left"):
        ready(lambda: Digits(data_dir=tmp_path, file_format="array_record"))


def test_tfds_keeps_its_own_fashion_mnist():
    assert tfds.builder_cls("fashion_mnist") is not builders.FashionMnist


def small_fashion(folder, pack, ending):
    """Idx files of the right names with 3 and 2 pictures, and their arrays."""
    arrays = {}
    for part, count in (("train", 3), ("t10k", 2)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) + 4
        head = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(head + pixels.tobytes()))
        head = struct.pack(">4BI", 0, 0, 8, 1, count)
        (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(head + labels.tobytes()))
        arrays[part] = pixels, labels
    return arrays


@pytest.mark.parametrize("pack, ending", [(bytes, ""), (gzip.compress, ".gz")])
def test_fashion_files_are_found_and_checked(tmp_path, pack, ending):
    arrays = small_fashion(tmp_path, pack, ending)
    stem = "train-images-idx3-ubyte"
    found = fashion_file(stem, (3, 28, 28), ["/nowhere", tmp_path])
    np.testing.assert_array_equal(found, arrays["train"][0])
    with pytest.raises(
        ValueError, match=r"got an array of shape \(3, 28, 28\), wanted \(60000, 28"
    ):
        fashion_file(stem, (60_000, 28, 28), [tmp_path])


def test_fashion_is_the_idx_files_in_small(tmp_path, monkeypatch):
    monkeypatch.setattr(builders, "DEBIAN", str(tmp_path))
    monkeypatch.setattr(builders.FashionMnist, "counts", (3, 2))
    arrays = small_fashion(tmp_path, gzip.compress, ".gz")
    folder = tmp_path / "prepared"
    builder = ready(lambda: builders.FashionMnist(data_dir=folder, file_format="array_record"))
    for split, part in (("train", "train"), ("test", "t10k")):
        x, y = read_bytes(builder, split)
        assert x.shape == (len(y), 28, 28, 1) and (x.dtype, y.dtype) == (np.uint8, np.int32)
        np.testing.assert_array_equal(x[..., 0], arrays[part][0])
        np.testing.assert_array_equal(y, arrays[part][1])
        assert builder.info.splits[split].num_examples == len(y)


def test_fashion_missing_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(builders, "DEBIAN", "/nowhere")
    monkeypatch.setenv("PROBTRANSFORM_FASHION_MNIST", "/nor/here")
    message = (
        r"got no train-images-idx3-ubyte\[.gz\] in .*, /nor/here, /nowhere, wanted the four idx "
        r"files; install Debian's dataset-fashion-mnist, or .* PROBTRANSFORM_FASHION_MNIST"
    )
    with pytest.raises(ValueError, match=message):
        ready(lambda: builders.FashionMnist(data_dir=tmp_path, file_format="array_record"))
    assert not list(tmp_path.rglob("*.array_record*"))


FASHION = Path(os.environ.get("PROBTRANSFORM_FASHION_MNIST", DEBIAN))


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="Fashion-MNIST's idx files are not here")
def test_fashion_is_all_of_the_idx_files(tmp_path):
    builder = ready(lambda: builders.FashionMnist(data_dir=tmp_path, file_format="array_record"))
    for split, part, count in (("train", "train", 60_000), ("test", "t10k", 10_000)):
        x, y = read_bytes(builder, split)
        stems = (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
        pixels, labels = (read_idx(next(FASHION.glob(f"{stem}*"))) for stem in stems)
        assert x.shape == (count, 28, 28, 1) and x.dtype == np.uint8
        np.testing.assert_array_equal(x[..., 0], pixels)
        np.testing.assert_array_equal(y, labels)
        np.testing.assert_array_equal(np.bincount(y), [count // 10] * 10)
