"""Changes of images: what each leaves as it is, and how often and how far it moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.stats import kstest, uniform

from probtransform.objectives.contrastive import changes

H, W = 12, 16
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.uniform(-1, 1, (H, W, 2)).astype(np.float32)
KEYS = jax.random.split(jax.random.key(0), 400)
ALL = {
    "cropped": changes.cropped(),
    "blurred": changes.blurred(),
    "mirrored": changes.mirrored,
    "lit": changes.lit(),
    "erased": changes.erased(),
    "sometimes": changes.sometimes(changes.lit(), 0.3),
    "in turn": changes.in_turn(changes.cropped(), changes.mirrored, changes.lit()),
}


def drawn(change):
    return np.asarray(jax.jit(jax.vmap(change, (0, None)))(KEYS, IMAGE))


@pytest.fixture(scope="module")
def found():
    return {name: drawn(change) for name, change in ALL.items()}


DIFFERENT = {"mirrored": 2, "sometimes": 90, "erased": 300}  # the others: nearly all


@pytest.mark.parametrize("name", ALL)
def test_a_key_decides(name, found):
    """Shape and type stay, as many of 400 differ as there are ways, and the same key gives the same."""
    x = found[name]
    assert x.shape == (400, H, W, 2) and x.dtype == np.float32
    distinct = len(np.unique(x.reshape(400, -1), axis=0))
    assert distinct == 2 if name == "mirrored" else distinct >= DIFFERENT.get(name, 350)
    again = jax.jit(ALL[name])(KEYS[7], IMAGE)
    np.testing.assert_allclose(again, x[7], atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_slopes_in_the_image_are_finite(name, found):
    """Of a random projection, over all keys, and none is zero."""
    v = RANDOM.normal(size=IMAGE.shape).astype(np.float32)
    slope = jax.grad(lambda x, key: jnp.vdot(v, ALL[name](key, x)))
    slopes = np.asarray(jax.jit(jax.vmap(slope, (None, 0)))(IMAGE, KEYS))
    assert np.isfinite(slopes).all() and (np.abs(slopes).max((1, 2, 3)) > 0.1).all()


def test_a_crop_is_linear_interpolation():
    """The matrices are scipy's bilinear map at the same places, edges repeated."""
    start, side = (0.1, 0.35), (0.6, 0.5)
    rows, columns = (changes.between(a, s, n) for a, s, n in zip(start, side, (H, W), strict=True))
    at = [
        (a + s * (np.arange(n) + 0.5) / n) * n - 0.5
        for a, s, n in zip(start, side, (H, W), strict=True)
    ]
    wanted = map_coordinates(
        IMAGE[..., 0], np.meshgrid(*at, indexing="ij"), order=1, mode="nearest"
    )
    np.testing.assert_allclose(rows @ IMAGE[..., 0] @ columns.T, wanted, atol=1e-5)
    np.testing.assert_allclose(changes.between(0.0, 1.0, 9), np.eye(9), atol=1e-6)


def test_crops_have_the_areas_and_places_they_should(key):
    """Of a ramp: its slope is the share of the side that is seen, its mean the place."""
    ramp = jnp.broadcast_to((jnp.arange(64) + 0.5)[:, None, None] / 64, (64, 64, 1))
    both = jnp.concatenate([ramp, ramp.swapaxes(0, 1)], -1)
    x = np.asarray(jax.jit(jax.vmap(changes.cropped(0.25, 2.0), (0, None)))(KEYS, both))
    high, wide = x[:, 40, 30, 0] - x[:, 20, 30, 0], x[:, 30, 40, 1] - x[:, 30, 20, 1]
    area, ratio = high * wide * (64 / 20) ** 2, wide / high
    assert 0.2 < area.min() < 0.3 and 0.95 < area.max() < 1.01
    assert 0.49 < ratio.min() < 0.6 and 1.7 < ratio.max() < 2.05
    assert abs(area.mean() - 0.6) < 0.06
    centre = x[:, 31:33, 30, 0].mean(1)
    assert abs(centre.mean() - 0.5) < 0.02 and centre.std() > 0.05


def test_blur_is_a_gaussian_filter():
    wide = np.pad(IMAGE[..., 0], 0)
    kernel = changes.near(1.0, H)
    inner = gaussian_filter(wide, (1.0, 0), truncate=12, mode="constant")
    found = np.asarray(kernel @ wide)
    np.testing.assert_allclose(found[5:7], inner[5:7], atol=1e-3)
    np.testing.assert_allclose(kernel.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(
        jax.jit(changes.blurred())(KEYS[0], jnp.full((H, W, 1), 0.3)), 0.3, atol=1e-5
    )


def test_a_blur_is_as_wide_as_it_says():
    """A point of light: the logarithm of its neighbour is `-1 / (2 scale^2)`, uniform from 0.1 to `most`."""
    point = jnp.zeros((31, 31, 1)).at[15, 15].set(1.0)
    x = np.asarray(jax.jit(jax.vmap(changes.blurred(3.0), (0, None)))(KEYS, point), np.float64)
    np.testing.assert_allclose(x, x.swapaxes(1, 2), atol=1e-6)
    row = x[:, 15, :, 0]
    seen = row[:, 16] > 1e-30 * row[:, 15]  # else too narrow to reach it
    scale = (2 * np.log(row[seen, 15] / row[seen, 16])) ** -0.5
    assert seen.mean() > 0.9 and scale.max() <= 3 + 1e-3
    scale = np.concatenate([scale, np.full((~seen).sum(), 0.1)])
    assert kstest(scale, uniform(0.1, 2.9).cdf).statistic < 0.08
    away = np.arange(31) - 15
    wide = row[np.argmax(row[:, 16] / row[:, 15])]
    spread = (wide * away**2).sum() / wide.sum()
    assert abs(spread**0.5 - scale.max()) < 0.02


def test_half_are_mirrored_and_the_others_are_not(found):
    mirrored = (found["mirrored"] == IMAGE[:, ::-1]).all((1, 2, 3))
    same = (found["mirrored"] == IMAGE).all((1, 2, 3))
    assert (mirrored ^ same).all() and abs(mirrored.mean() - 0.5) < 0.1


def test_light_is_an_affine_map_about_the_mean(found):
    slope = (found["lit"][:, 1, 1, 0] - found["lit"][:, 2, 3, 1]) / (
        IMAGE[1, 1, 0] - IMAGE[2, 3, 1]
    )
    shift = found["lit"].mean((1, 2, 3)) - IMAGE.mean()
    for numbers, middle in ((slope, 1), (shift, 0)):
        assert abs(numbers - middle).max() <= 0.4 + 1e-4
        assert abs(numbers.std() - 0.4 / 3**0.5) < 0.02


def test_what_is_erased_is_a_black_rectangle(found):
    black = (found["erased"] == -1).all(-1)
    for mask in black:
        rows, columns = mask.any(1), mask.any(0)
        np.testing.assert_array_equal(mask, rows[:, None] & columns)
        assert rows.sum() <= H // 2 + 1 and columns.sum() <= W // 2 + 1
    kept = ~black[..., None] & np.ones(2, bool)
    np.testing.assert_array_equal(found["erased"][kept], np.broadcast_to(IMAGE, kept.shape)[kept])
    assert black.any((1, 2)).mean() > 0.8


def test_sometimes_is_as_often_as_it_says(found):
    changed = (found["sometimes"] != IMAGE).any((1, 2, 3))
    assert abs(changed.mean() - 0.3) < 0.08


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="least=0"):
        changes.cropped(0)
    with pytest.raises(ValueError, match=r"stretch=0\.5"):
        changes.cropped(0.5, 0.5)
    with pytest.raises(ValueError, match="chance=2"):
        changes.sometimes(changes.mirrored, 2)
