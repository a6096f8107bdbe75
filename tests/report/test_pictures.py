"""Pictures, read back from their PNG."""

import io

import numpy as np
import pytest
from PIL import Image

from probtransform.core import Event
from probtransform.report import curves, grid, heat
from probtransform.report.samples import principal

RNG = np.random.default_rng(0)


def read(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float) / 255


def test_a_grid_shows_each_pixel_at_its_place_and_brightness():
    x = RNG.integers(0, 17, (9, 4, 6, 1)).astype(np.uint8)
    picture = read(grid(x, Event((4, 6, 1), levels=17)))
    zoom = 640 // 20
    assert picture.shape == ((3 * 5 - 1) * zoom, (3 * 7 - 1) * zoom, 4)
    dots = picture[zoom // 2 :: zoom, zoom // 2 :: zoom]
    for i, image in enumerate(x):
        row, column = divmod(i, 3)
        seen = dots[row * 5 : row * 5 + 4, column * 7 : column * 7 + 6]
        np.testing.assert_allclose(seen[..., :3], np.repeat(image / 16, 3, -1), atol=1 / 250)
        assert np.all(seen[..., 3] == 1)
    assert np.all(dots[4, :, 3] == 0) and np.all(dots[:, 6, 3] == 0)


def test_colours_and_reals():
    x = np.full((5, 2, 2, 3), [-1.0, 0.0, 3.0])
    picture = read(grid(x, Event((2, 2, 3))))
    np.testing.assert_allclose(picture[0, 0], [0, 0.5, 1, 1], atol=1 / 250)
    broken = read(grid(np.full((1, 2, 2, 1), np.nan), Event((2, 2, 1))))
    assert np.all(broken[..., :3] == 0)


def blue_and_orange(picture):
    ink = picture[..., 3] > 0.3
    return ink & (picture[..., 2] > picture[..., 0] + 0.2), ink & (
        picture[..., 0] > picture[..., 2] + 0.2
    )


@pytest.mark.parametrize("size", [1, 2, 6])
def test_points_stand_beside_data_or_alone(size):
    x, real = RNG.normal(size=(2, 500, size))
    blue, orange = blue_and_orange(read(grid(x, Event((size,)), real)))
    assert blue.sum() > 300 and orange.sum() > 300
    blue, orange = blue_and_orange(read(grid(x, Event((size,)))))
    assert blue.sum() > 300 and orange.sum() == 0


def test_a_scatter_puts_samples_where_they_are():
    corners = np.array([[-1.0, -1.0], [1.0, 1.0]]).repeat(50, 0)
    blue, _ = blue_and_orange(read(grid(corners[:50], Event((2,)), corners)))
    rows, columns = np.nonzero(blue)
    height, width = blue.shape
    assert rows.min() > height / 2 and columns.max() < width / 4  # lower left of the left panel


def test_principal_axes_are_those_of_the_data():
    real = RNG.normal(size=(400, 3)) * [0.1, 5.0, 2.0] + 9
    samples, seen = principal([real[:7] + np.eye(3)[1], real])
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-9)
    top = np.linalg.eigvalsh(np.cov(real.T))[:0:-1]
    np.testing.assert_allclose(np.cov(seen.T), np.diag(top), atol=1e-9)
    assert np.all(np.abs((samples - seen[:7]) @ [1, 0]) > 0.95)  # the shift is along the first


@pytest.mark.parametrize("real", [None, RNG.normal(size=(50, 3))])
def test_a_model_that_diverged_can_still_be_drawn(real):
    assert len(grid(np.full((50, 3), np.nan), Event((3,)), real)) > 100


def test_curves_have_a_panel_a_player():
    one = [{"step": i, "loss/flow": 1.0 / (i + 1), "nats": 2.0} for i in range(5)]
    two = [row | {"loss/critic": float(i), "loss/critic/se": 0.1} for i, row in enumerate(one)]

    def panels(metrics):  # left spines: long vertical runs of ink
        picture = read(curves(metrics))
        return np.sum(np.diff((picture[..., 3] > 0.6).mean(0) > 0.5, prepend=False) > 0) // 2

    assert (panels(one), panels(two)) == (1, 2)
    with pytest.raises(ValueError, match="no metric named loss"):
        curves([{"step": 0, "nats": 1.0}])


def test_heat_is_opaque_at_the_mode_and_clear_in_the_tail():
    real = np.array([[-1.0, -2.0], [1.0, 2.0]])
    mode = np.array([0.6, -1.2])

    def log_density(x):
        assert x.shape == (40 * 40, 2) and x.dtype == np.float32
        log_p = 7.0 - 20 * np.sum((x - mode) ** 2, 1)
        return np.where(x[:, 1] > 1.8, np.nan, log_p)

    blue, _ = blue_and_orange(read(heat(log_density, real, size=40)))
    rows, columns = np.nonzero(blue)
    height, width = blue.shape
    assert 0.65 * height < rows.mean() < 0.85 * height
    assert 0.65 * width < columns.mean() < 0.9 * width
