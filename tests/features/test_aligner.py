"""The shipped aligners find labels as often as they say, and their scores are a law of labels."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors import safe_open

from experiments.aligner import Config, model_of, save, train
from experiments.features import scaled
from probtransform.core import log_density
from probtransform.data import load
from probtransform.features import (
    Aligner,
    alignment,
    digits_aligner,
    fashion_aligner,
    features_of,
)
from probtransform.features.aligner import aligner_of, image_side, label_side
from probtransform.features.classifiers import SHIPPED
from probtransform.features.extractor import over

OURS = {"digits": digits_aligner, "fashion_mnist": fashion_aligner}


def read(name):
    try:
        data = load(name, labels=True)
    except ValueError as error:
        pytest.skip(str(error))
    aligner = OURS[name]()
    images = np.asarray(scaled(data.test.x, data.event.levels))
    return aligner, *features_of(aligner.extractor, images, 500), data.test.cond


@pytest.mark.parametrize("name, least", [("digits", 0.98), ("fashion_mnist", 0.88)])
def test_labels_are_found_as_often_as_the_docstring_says(name, least):
    aligner, features, logits, labels = read(name)
    found = alignment(aligner, features, labels)
    (said,) = re.findall(r"([\d.]+)% of the", OURS[name].__doc__)
    assert found.retrieved >= least and abs(100 * found.retrieved - float(said)) < 0.05
    assert found.retrieved == (logits.argmax(1) == labels).mean()


def test_an_image_is_nearer_to_its_label_than_to_another():
    aligner, features, _, labels = read("digits")
    own, other = (alignment(aligner, features, y).cosine for y in (labels, (labels + 3) % 10))
    assert own.mean() > other.mean() + 0.5 and np.abs(own).max() <= 1 + 1e-5
    assert alignment(aligner, features, (labels + 3) % 10).retrieved < 0.02


def test_alignment_of_known_angles():
    labels = np.eye(3, dtype=np.float32)
    aligner = Aligner(digits_aligner().extractor, labels)
    angle = np.array([0.0, 0.3, 1.2])
    features = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    found = alignment(aligner, features, np.array([0, 0, 0]))
    np.testing.assert_allclose(found.cosine, np.cos(angle), atol=1e-6)
    assert found.retrieved == 2 / 3


def test_its_scores_are_the_law_that_was_trained(key):
    """`softmax` of the logits is the distribution's `p(y | x)`, all labels being candidates."""
    data = load("digits", labels=True)
    aligner = digits_aligner()
    law = model_of(data.event, "clip").distribution
    params = {"aligner": aligner.extractor.params}
    x = data.test.x[0]
    nats = [log_density(law, params, key, y, (x, np.arange(10))) for y in range(10)]
    image = np.asarray(scaled(x[None], 17))
    _, (logits,) = features_of(aligner.extractor, image)
    np.testing.assert_allclose(nats, logits - np.log(np.exp(logits).sum()), atol=1e-3)


def test_aligners_of_a_shape_are_one_program():
    """Numbers are read from the parameters: other ones are others' scores, by the same program."""
    images = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1))
    over.clear_cache()
    found = [features_of(digits_aligner().extractor, images) for _ in range(3)]
    params = dict(digits_aligner().extractor.params)
    params["right"] = {"rows": params["right"]["rows"][::-1].copy()}
    turned = features_of(aligner_of("turned", params, (8, 8, 1)).extractor, images)
    assert over._cache_size() == 1
    np.testing.assert_array_equal(found[0][1], found[2][1])
    np.testing.assert_allclose(turned[1], found[0][1][:, ::-1], atol=1e-5)


def test_an_image_without_an_embedding_has_no_direction():
    aligner = digits_aligner()
    zeros = jax.tree.map(np.zeros_like, aligner.extractor.params["left"])
    params = aligner.extractor.params | {"left": zeros}
    image = np.zeros((1, 8, 8, 1))
    features, logits = features_of(aligner_of("blind", params, (8, 8, 1)).extractor, image)
    assert not features.any() and np.isfinite(logits).all()
    with pytest.raises(ValueError, match="features of lengths 0 to 0"):
        alignment(aligner, features, np.zeros(1, int))


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_is_none_has_no_embedding(label, key):
    side = label_side(10)
    params = side.init(key)
    assert np.isnan(jax.jit(side.apply)(params, label)).all()
    np.testing.assert_array_equal(jax.jit(side.apply)(params, 9), params["rows"][9])
    slope = jax.grad(lambda p: jnp.sum(side.apply(p, 3) ** 2))(params)["rows"]
    np.testing.assert_allclose(slope, 2 * params["rows"] * np.eye(10)[3][:, None])


@pytest.mark.parametrize("name", OURS)
def test_weights_are_small_and_say_where_they_come_from(name):
    path = SHIPPED / f"{name}_aligner.safetensors"
    assert path.stat().st_size < 100_000
    with safe_open(path, "np") as file:
        assert file.metadata()["command"] == f"python -m experiments.aligner --data {name}"


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_training_learns_and_its_file_comes_back_as_it_was(loss, tmp_path, monkeypatch):
    config = Config(loss=loss, epochs=15, out=tmp_path / "digits_aligner.safetensors")
    aligner, retrieved, _ = train(config)
    assert retrieved > 0.9  # guessing has 0.1
    save(config, aligner, retrieved)
    monkeypatch.setattr("probtransform.features.aligner.SHIPPED", tmp_path)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1))
    for before, after in zip(
        features_of(aligner.extractor, images),
        features_of(digits_aligner().extractor, images),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)


def test_wrong_features_and_labels_are_refused():
    aligner, rows = digits_aligner(), np.ones((3, 32)) / 32**0.5
    with pytest.raises(ValueError, match=r"features of shape \(3, 64\)"):
        alignment(aligner, np.ones((3, 64)), np.zeros(3, int))
    with pytest.raises(ValueError, match=r"not whole numbers 0\.\.9"):
        alignment(aligner, rows, np.array([0, 1, 10]))
    with pytest.raises(ValueError, match=r"not whole numbers 0\.\.9"):
        alignment(aligner, rows, np.array([0.0, 1.0, 2.0]))
    for wrong in (7 * rows, np.nan * rows, rows * np.array([[1], [1], [1.01]])):
        with pytest.raises(
            ValueError, match=r"alignment: got features of lengths .* wanted length 1"
        ):
            alignment(aligner, wrong, np.zeros(3, int))
    alignment(aligner, rows * 1.0005, np.zeros(3, int))
    with pytest.raises(ValueError, match=r"aligner: got images of shape \(7, 8, 1\)"):
        image_side((7, 8, 1))
