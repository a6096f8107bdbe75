"""Many images go through an extractor in chunks, and what it cannot read is refused in one sentence."""

import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.features import Extractor, features_of


def means(params, image):
    return params * image.mean((0, 1)), image[0, 0]


def images_of(count, shape=(3, 4, 2)):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("count, chunk", [(1, 5), (7, 3), (7, 7), (8, 2), (7, 100)])
def test_chunks_are_put_together_again(count, chunk):
    images = images_of(count)
    features, logits = features_of(Extractor("sums", 2.0, means, (3, 4, 2)), images, chunk)
    np.testing.assert_allclose(features, 2 * images.mean((1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(logits, images[:, 0, 0])


def test_no_logits_are_none():
    extractor = Extractor("sums", 2.0, lambda params, image: (means(params, image)[0], None))
    features, logits = features_of(extractor, images_of(5, (3, 4, 1)), 2)
    assert logits is None and features.shape == (5, 1)


def test_any_size_means_any_size_of_grey_or_rgb():
    extractor = Extractor("sums", 2.0, means)
    for shape in ((2, 9, 1), (5, 4, 3)):
        assert features_of(extractor, images_of(2, shape))[0].shape == (2, shape[-1])
    with pytest.raises(ValueError, match=r"wanted one or more as \[n, any, any, 1 or 3\]"):
        features_of(extractor, images_of(2, (4, 4, 2)))


@pytest.mark.parametrize(
    "images, words",
    [
        (images_of(2, (3, 5, 2)), r"shape \(2, 3, 5, 2\), wanted one or more as \[n, 3, 4, 2\]"),
        (images_of(2)[0], r"shape \(3, 4, 2\), wanted one or more"),
        (images_of(0), r"shape \(0, 3, 4, 2\), wanted one or more"),
        (np.zeros((2, 3, 4, 2), np.uint8), "got uint8 images, wanted reals"),
        (images_of(2) * 255, "wanted reals in"),
        (images_of(2) * np.nan, "got values from nan to nan, wanted reals"),
    ],
)
def test_what_cannot_be_read_is_refused(images, words):
    with pytest.raises(ValueError, match=words):
        features_of(Extractor("sums", 2.0, means, (3, 4, 2)), images)


def test_a_chunk_holds_one_image_at_least():
    with pytest.raises(ValueError, match="chunk=0, wanted at least 1"):
        features_of(Extractor("sums", jnp.ones(()), means, (3, 4, 2)), images_of(2), 0)
