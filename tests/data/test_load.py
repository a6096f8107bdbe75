"""One name, one data set: names, labels, splits, and data sets that others prepared."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from probtransform.data import prepared
from probtransform.data.load import load, nearest
from probtransform.data.toys import TOYS


def test_digits_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data = load("digits", labels=True)
    assert (tmp_path / "digits").is_dir()
    assert data.event == ((8, 8, 1), 17, 10)
    assert data.train.x.shape == (1437, 8, 8, 1) and data.test.x.shape == (360, 8, 8, 1)
    assert data.train.x.dtype == np.uint8 and data.train.cond.dtype == np.int32
    assert data.train.x.max() == 16 and data.train.x.min() == 0
    raw = load_digits().target
    counts = np.bincount(data.train.cond) + np.bincount(data.test.cond)
    np.testing.assert_array_equal(counts, np.bincount(raw))
    about = json.loads(json.dumps(data.about))
    assert about == data.about and about["name"] == "digits" and about["levels"] == 17
    assert about["split"].startswith("the first 1437 of numpy.random.default_rng(0).permutation(")
    assert (about["train"], about["test"], about["classes"]) == (1437, 360, 10)

    without = load("digits", data_dir=str(tmp_path))
    assert without.event.classes == 0 and without.train.cond is None and without.test.cond is None
    np.testing.assert_array_equal(without.train.x, data.train.x)


@pytest.mark.parametrize("name", ["moons", "s_curve"])
def test_toys_by_name(name):
    classes = len(TOYS[name].shares)
    data, again, other = load(name, labels=classes > 0), load(name), load(name, seed=1)
    assert data.event == ((3 if name == "s_curve" else 2,), None, classes)
    assert data.train.x.shape == (10_000, *data.event.shape) and len(data.test.x) == 2_000
    assert data.train.x.dtype == np.float32
    np.testing.assert_array_equal(data.train.x, again.train.x)
    assert not np.allclose(data.train.x, other.train.x)
    assert not np.isin(data.test.x[:, 0], data.train.x[:, 0]).all()
    assert json.loads(json.dumps(data.about)) == data.about and data.about["scaling"] is None
    if classes:
        # The upper moon's middle is at (0, 2/pi), the lower one's at (1, 1/2 - 2/pi).
        means = [data.train.x[data.train.cond == k].mean(0) for k in range(2)]
        np.testing.assert_allclose(means, [[0, 0.6366], [1, -0.1366]], atol=0.03)
        assert data.train.cond.dtype == np.int32
    else:
        with pytest.raises(ValueError, match="s_curve: got labels=True for data without labels"):
            load(name, labels=True)


@pytest.mark.parametrize(
    "name, meant", [("digitz", "digits"), ("two_moons", "moons"), ("mnizt", "mnist")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name, meant, tmp_path):
    assert nearest(name) == meant
    with pytest.raises(
        ValueError, match=f"{name}: got a name .*, wanted one like '{meant}'; our own"
    ):
        load(name, data_dir=str(tmp_path))


X = np.random.default_rng(0).normal([3, -1, 0], 2, (30, 3)).astype(np.float32)
IMAGES = np.random.default_rng(1).integers(0, 256, (30, 4, 5, 1), dtype=np.uint8)


class Theirs(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """What somebody else may have prepared."""

    VERSION = tfds.core.Version("2.1.0")
    fields, splits = ("image", "label"), {"train": 20, "test": 10}

    def _info(self):
        known = {
            "image": tfds.features.Tensor(shape=(4, 5, 1), dtype=np.uint8),
            "label": tfds.features.ClassLabel(names=["no", "yes"]),
            "vector": tfds.features.Tensor(shape=(3,), dtype=np.float32),
            "other": tfds.features.Tensor(shape=(2,), dtype=np.float32),
            "word": tfds.features.Text(),
        }
        features = tfds.features.FeaturesDict({field: known[field] for field in self.fields})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        ends = np.cumsum([0, *self.splits.values()])
        return {s: self._generate_examples(ends[i], ends[i + 1]) for i, s in enumerate(self.splits)}

    def _generate_examples(self, first, last):
        for i in range(first, last):
            example = {
                "image": IMAGES[i],
                "label": i % 2,
                "vector": X[i],
                "other": X[i, :2],
                "word": "a",
            }
            yield i, {field: example[field] for field in self.fields}


def prepare(folder, name, fields, splits):
    words = {"name": name, "fields": fields, "splits": splits}
    kind = type(Theirs)(name, (Theirs,), words, skip_registration=True)
    prepared.ready(lambda: kind(data_dir=folder, file_format="array_record"))
    return {"name": name, "data_dir": str(folder)}


def test_images_that_others_prepared(tmp_path):
    where = prepare(tmp_path, "pictures", ("image", "label", "word"), {"train": 20, "test": 10})
    data = load(**where, labels=True)
    assert data.event == ((4, 5, 1), 256, 2) and data.about["labels"] == ["no", "yes"]
    np.testing.assert_array_equal(data.train.x, IMAGES[:20])
    np.testing.assert_array_equal(data.test.x, IMAGES[20:])
    np.testing.assert_array_equal(data.test.cond, np.arange(20, 30) % 2)
    assert data.about["source"] == "tfds pictures/2.1.0" and data.about["split"] == "as published"


def test_vectors_that_others_prepared_without_a_test_split(tmp_path):
    data = load(**prepare(tmp_path, "vectors", ("vector", "word"), {"train": 30}), seed=3)
    assert data.event == ((3,), None, 0)
    order = np.random.default_rng(3).permutation(30)
    scaling = data.about["scaling"]
    back = data.test.x * scaling["scale"] + scaling["mean"]
    np.testing.assert_allclose(back, X[order[24:]], atol=1e-5)
    np.testing.assert_allclose(scaling["mean"], X[order[:24]].mean(0), atol=1e-5)


@pytest.mark.parametrize(
    "fields, splits, message",
    [
        (("vector", "other"), {"train": 30}, r"got features \['other', 'vector'\], wanted `image`"),
        (("word",), {"train": 30}, r"got features \['word'\], wanted `image`"),
        (("image",), {"validation": 30}, r"got splits \['validation'\], wanted one called `train`"),
    ],
)
def test_refuses_what_it_cannot_make_examples_of(tmp_path, fields, splits, message):
    with pytest.raises(ValueError, match=message):
        load(**prepare(tmp_path, "odd", fields, splits))


def test_failed_preparation_is_one_sentence(tmp_path, monkeypatch):
    def unreachable(make):
        raise RuntimeError("no route to host\nand a long story")

    monkeypatch.setattr(prepared, "ready", unreachable)
    with pytest.raises(
        ValueError, match=r"mnist: got an error where TFDS prepares it \(no route to"
    ):
        load("mnist", data_dir=str(tmp_path))


def test_importing_the_package_is_light():
    heavy = ("tensorflow", "tensorflow_datasets", "grain", "pandas", "PIL", "sklearn")
    code = (
        "import sys, probtransform.data.load, probtransform.data.stream, probtransform.data.order;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_tensorflow_is_never_imported():
    assert "tensorflow" not in sys.modules
