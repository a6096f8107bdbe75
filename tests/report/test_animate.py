"""The film of a model: where it begins, where it ends, and every family in between."""

import io

import jax
import numpy as np
import pytest
from kin import ONE_OF_A_KIND
from PIL import Image

from probtransform.core import Distribution, Event, pushforward, sample_many, sample_stages
from probtransform.distributions import normal
from probtransform.families import registry
from probtransform.report.animate import animate, tween
from probtransform.report.film import gif
from probtransform.report.journey import cloud, lights, named_stages, predictors
from probtransform.report.transport import interpolation, slerp, transport
from probtransform.transforms import affine, affine_of

RNG = np.random.default_rng(0)
MEAN, COVARIANCE = np.array([1.0, -2.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
EVENTS = {"plane": Event((2,)), "digits": Event((8, 8, 1), levels=17)}
SMALL = {
    "vae": {"width": 8, "latent": 5},
    "realnvp": {"layers": 2, "width": 8},
    "autoregressive": {"width": 64, "bins": 8},
    "gan": {"width": 8, "latent": 5},
    "flow_matching": {"width": 8, "solver_steps": 2},
}


@pytest.fixture
def gaussian(key):
    distribution = pushforward(normal((2,)), place=affine(2))
    return distribution, {"place": affine_of(MEAN, COVARIANCE)}


def test_a_film_begins_at_the_base_and_ends_at_the_samples(gaussian, key):
    names, stages = named_stages(*gaussian, key, 400)
    assert names == ["base", "place"]
    np.testing.assert_array_equal(stages[-1], sample_many(*gaussian, key, 400))
    # the affine map of a Gaussian undone by hand gives the base back
    back = np.linalg.solve(np.linalg.cholesky(COVARIANCE), (stages[1] - MEAN).T).T
    np.testing.assert_allclose(stages[0], back, atol=1e-5)
    seen = list(tween(names, cloud(stages), 31))
    np.testing.assert_array_equal(seen[0][1], stages[0])
    np.testing.assert_allclose(seen[-1][1], stages[1], atol=1e-6)
    assert seen[0][0] == "base" and seen[-1][0] == "place" and "base" in seen[12][0]


def test_between_two_stages_a_point_goes_straight():
    a, b = RNG.normal(size=(2, 7, 2))
    for _, x in tween(["a", "b"], [a, b], 40):
        s = ((x - a) / (b - a)).ravel()
        assert 0 <= s[0] <= 1 and np.ptp(s) < 1e-9


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("family", ONE_OF_A_KIND)
def test_every_family_can_be_shown(family, kind, key):
    event = EVENTS[kind]
    model = registry[family].build(event, **SMALL.get(family, {}))
    params = jax.jit(model.distribution.init)(key)
    frames = animate(model.distribution, params, key, event, 9, frames=4)
    assert len(frames) == 4 and all(f.shape == frames[0].shape for f in frames)
    assert all(f.dtype == np.uint8 and f.std() > 5 for f in frames)
    if (
        len(sample_stages(model.distribution, params, key)) > 1
    ):  # what is a base itself stands still
        assert (frames[0][40:] != frames[-1][40:]).any()  # below the title
    _, stages = named_stages(model.distribution, params, key, 9)
    wanted = sample_many(model.distribution, params, key, 9)
    if event.levels:
        np.testing.assert_array_equal(stages[-1], wanted)
    else:  # up to rounding, in batches of another size
        np.testing.assert_allclose(stages[-1], wanted, atol=1e-5)


def test_images_are_shown_at_their_brightness():
    event = EVENTS["digits"]
    x = RNG.integers(0, 17, (3, 8, 8, 1)).astype(np.uint8)
    z = (2 * x.reshape(3, 64) / 16.0 - 1).astype(np.float32)
    small = np.linspace(-1, 1, 4, dtype=np.float32)[None].repeat(3, 0)
    latent, flat, levels = lights([small, z, x], event)
    np.testing.assert_allclose(levels, x / 16)
    np.testing.assert_allclose(flat, levels, atol=1e-6)
    np.testing.assert_allclose(
        latent[0, :, :, 0], np.kron([[0, 1 / 3], [2 / 3, 1]], np.ones((4, 4))), atol=1e-6
    )


def test_a_latent_is_seen_along_what_predicts_the_data():
    z = RNG.normal(size=(500, 6))
    x = 3 * z[:, [4, 1]] + 0.01 * RNG.normal(size=(500, 2))
    np.testing.assert_allclose(predictors(z, x), np.eye(6)[:, [4, 1]], atol=0.01)


def test_a_gif_lasts_as_long_as_asked_and_shows_what_it_was_given():
    frames = [np.full((20, 30, 3), shade, np.uint8) for shade in (0, 255, 0, 255)]
    with Image.open(io.BytesIO(gif(frames, 2.0))) as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (4, (30, 20), 0)
        for i, frame in enumerate(frames):
            film.seek(i)
            assert film.info["duration"] == 500
            np.testing.assert_array_equal(np.asarray(film.convert("RGB")), frame)


def test_a_base_point_is_carried_where_the_map_says(gaussian, key):
    for z in RNG.normal(size=(3, 2)).astype(np.float32):
        wanted = MEAN + np.linalg.cholesky(COVARIANCE) @ z
        np.testing.assert_allclose(sample_stages(*gaussian, key, None, z)[-1], wanted, atol=1e-5)


@pytest.mark.parametrize("family", SMALL)
def test_the_base_of_a_draw_is_carried_to_that_draw(family, key):
    event = EVENTS["plane"]
    model = registry[family].build(event, **SMALL[family])
    distribution, params = model.distribution, jax.jit(model.distribution.init)(key)
    z, *_, x = sample_stages(distribution, params, key)
    np.testing.assert_allclose(sample_stages(distribution, params, key, None, z)[-1], x, atol=1e-5)
    other = sample_stages(distribution, params, key, None, z / 2)
    np.testing.assert_array_equal(other[0], z / 2)
    assert np.abs(other[-1] - x).max() > 1e-3


def test_a_spherical_walk_keeps_its_radius_and_its_pace():
    a, b = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    walk = slerp(a, b, np.linspace(0, 1, 5)[:, None])
    angles = np.linspace(0, np.pi / 2, 5)
    np.testing.assert_allclose(
        walk, 3 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1), atol=1e-12
    )


def test_walks_are_drawn_or_refused_with_a_reason(gaussian, key):
    real = np.asarray(sample_many(*gaussian, key, 100))
    for picture in (
        interpolation(*gaussian, key, Event((2,)), real),
        transport(*gaussian, key, real, lambda x: -np.sum(x**2, 1)),
    ):
        seen = np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"), float)
        assert seen.shape[1] == 630 and (seen[..., 3] > 100).mean() > 0.01
    symbols = Distribution(
        lambda k: {}, lambda p, k, cond=None: jax.random.randint(k, (2,), 0, 3), None
    )
    with pytest.raises(ValueError, match="no reals"):
        interpolation(symbols, {}, key, Event((2,)))
    with pytest.raises(ValueError, match="every label"):
        interpolation(*gaussian, key, Event((2,), classes=3))


def test_too_few_frames(gaussian, key):
    with pytest.raises(ValueError, match="got 1 frames"):
        animate(*gaussian, key, Event((2,)), 4, frames=1)
