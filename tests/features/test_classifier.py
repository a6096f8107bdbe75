"""The shipped classifiers are as accurate as they say, small, and made by the command they name."""

import re

import numpy as np
import pytest
from safetensors import safe_open

from experiments.features import Config, save, scaled, train
from probtransform.data import load
from probtransform.features import (
    classifier,
    digits_classifier,
    fashion_classifier,
    features_of,
)
from probtransform.features.classifiers import SHIPPED, shipped

OURS = {"digits": digits_classifier, "fashion_mnist": fashion_classifier}


def images_and_labels(name):
    try:
        data = load(name, labels=True)
    except ValueError as error:
        pytest.skip(str(error))
    return np.asarray(scaled(data.test.x, data.event.levels)), data.test.cond


@pytest.mark.parametrize("name, least", [("digits", 0.975), ("fashion_mnist", 0.90)])
def test_accuracy_is_what_the_docstring_says(name, least):
    images, labels = images_and_labels(name)
    features, logits = features_of(OURS[name](), images, 500)
    accuracy = (logits.argmax(1) == labels).mean()
    (said,) = re.findall(r"([\d.]+)% of the", OURS[name].__doc__)
    assert accuracy >= least
    assert abs(100 * accuracy - float(said)) < 0.05
    assert features.shape == (len(labels), 64) and features.std(0).min() > 0


def test_features_are_what_the_logits_are_linear_in():
    extractor = digits_classifier()
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1))
    features, logits = features_of(extractor, images)
    layer = extractor.params["logits"]
    np.testing.assert_allclose(features @ layer["kernel"] + layer["bias"], logits, atol=1e-4)


@pytest.mark.parametrize("name", OURS)
def test_weights_are_small_and_say_where_they_come_from(name):
    path = SHIPPED / f"{name}.safetensors"
    assert path.stat().st_size < 1_000_000
    with safe_open(path, "np") as file:
        assert file.metadata()["command"] == f"python -m experiments.features --data {name}"
        assert sum(np.prod(file.get_slice(k).get_shape()) for k in file.keys()) < 250_000  # noqa: SIM118


def test_a_wrong_size_is_refused():
    with pytest.raises(ValueError, match=r"FD-digits: got images of shape \(2, 28, 28, 1\)"):
        features_of(digits_classifier(), np.zeros((2, 28, 28, 1)))
    with pytest.raises(ValueError, match=r"got images of shape \(7, 8, 1\), wanted .* at least 8"):
        classifier((7, 8, 1), 10)


def test_training_learns_and_its_file_comes_back_as_it_was(tmp_path, monkeypatch):
    config = Config(epochs=6, out=tmp_path / "digits.safetensors")
    extractor, accuracy, _ = train(config)
    assert accuracy > 0.9  # guessing has 0.1
    save(config, extractor, accuracy)
    monkeypatch.setattr("probtransform.features.classifiers.SHIPPED", tmp_path)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1))
    for before, after in zip(
        features_of(extractor, images),
        features_of(shipped("digits", (8, 8, 1)), images),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)
