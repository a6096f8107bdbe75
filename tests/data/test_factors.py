"""Sprites: areas, places and levels of rendered shapes, and what a data set of them promises."""

import json

import numpy as np
import pytest

from probtransform.data import load, sprites
from probtransform.data.load import nearest

GRID = sprites()
RADII, PLACES = np.linspace(0.2, 0.45, 6), np.linspace(-0.5, 0.5, 24)
PIXEL = 2 / 16
# of half size 1: a square of side 1.6, an ellipse of axes 1 and 0.6, and the sextic's 3.66197 (OEIS-free: by
# the integral below) in units of 1.14
AREAS = {"square": 2.56, "ellipse": np.pi * 0.6}


def heart_area():
    """`(x^2 + y^2 - 1)^3 = x^2 y^3` in polar form: half the integral of r^2, its root by bisection."""
    angle = (np.arange(4000) + 0.5) / 4000 * 2 * np.pi
    c, s = np.cos(angle), np.sin(angle)
    low, high = np.zeros(4000), np.full(4000, 2.0)
    for _ in range(50):
        r = (low + high) / 2
        inside = (r**2 - 1) ** 3 <= r**5 * c**2 * s**3
        low, high = np.where(inside, r, low), np.where(inside, high, r)
    return np.mean(low**2) * np.pi


def image(shape, size, x, y):
    return GRID.x[np.ravel_multi_index((shape, size, x, y), GRID.sizes), :, :, 0] / 16.0


def centre(picture):
    """The centre of mass, x to the right and y upwards, in [-1, 1]."""
    axis = (np.arange(16) + 0.5) * PIXEL - 1
    return np.array([picture.sum(0) @ axis, -(picture.sum(1) @ axis)]) / picture.sum()


def test_every_combination_is_there_once():
    assert GRID.sizes == (3, 6, 24, 24) and GRID.names == ("shape", "size", "x", "y")
    assert GRID.x.shape == (10_368, 16, 16, 1) and GRID.x.dtype == np.uint8
    np.testing.assert_array_equal(
        np.ravel_multi_index(GRID.values.T, GRID.sizes), np.arange(len(GRID.x))
    )
    assert len(np.unique(GRID.x.reshape(len(GRID.x), -1), axis=0)) == len(GRID.x)
    np.testing.assert_array_equal(np.unique(GRID.x), np.arange(17))


def test_areas_are_those_of_the_shapes():
    areas = [AREAS["square"], AREAS["ellipse"], heart_area() / 1.14**2]
    for shape, size in np.ndindex(3, 6):
        # over all places the grid of points averages out
        pictures = GRID.x.reshape(*GRID.sizes, 256)[shape, size]
        found = pictures.sum(-1).mean() / 16 * PIXEL**2
        assert found == pytest.approx(areas[shape] * RADII[size] ** 2, rel=0.01)


def test_shapes_stand_where_their_factors_say():
    """Symmetric shapes have their mass about their middle, a heart as far from it at every place."""
    for size in range(6):
        offset = centre(image(2, size, 12, 12)) - PLACES[[12, 12]]
        for x, y in ((0, 0), (23, 5), (7, 23), (12, 3)):
            for shape, away in ((0, 0), (1, 0), (2, offset)):
                found = centre(image(shape, size, x, y))
                np.testing.assert_allclose(found, PLACES[[x, y]] + away, atol=0.02)
    assert offset[0] == pytest.approx(0, abs=0.02) and offset[1] > 0.02


def test_nothing_is_cut_off_and_edges_are_soft():
    border = np.concatenate([GRID.x[:, [0, -1]].ravel(), GRID.x[:, :, [0, -1]].ravel()])
    assert (border < 16).all()
    soft = ((GRID.x > 0) & (GRID.x < 16)).sum((1, 2, 3))
    assert (soft > 0).mean() > 0.95


def test_sprites_by_name():
    data, again, other = load("sprites", labels=True), load("sprites"), load("sprites", seed=1)
    assert data.event == ((16, 16, 1), 17, 3) and again.event.classes == 0
    np.testing.assert_array_equal(data.train.x, again.train.x)
    assert not np.array_equal(data.train.x, other.train.x)
    assert data.about["labels"] == ["square", "ellipse", "heart"]
    assert data.about["factors"] == {"shape": 3, "size": 6, "x": 24, "y": 24}
    assert json.loads(json.dumps(data.about)) == data.about
    # the rule in `about` leads back to the factors
    rows = np.random.default_rng(0).permutation(10_368)
    np.testing.assert_array_equal(data.train.x, GRID.x[rows[:8294]])
    np.testing.assert_array_equal(data.test.cond, GRID.values[rows[8294:], 0])
    assert nearest("sprite") == "sprites"
