"""Toys against quadrature, scipy and scikit-learn, none of which share their code."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats
from sklearn import datasets

from probtransform.core.density import Exact
from probtransform.core.draw import sample_many
from probtransform.data.mixture import gaussian_mixture
from probtransform.data.toys import TOYS

# The box that holds all but 1e-6 of the mass, and a spacing no wider than the noise.
BOXES = {
    "moons": ([(-1.7, 2.7), (-1.2, 1.7)], 0.05),
    "eight_gaussians": ([(-5.0, 5.0)] * 2, 0.125),
    "checkerboard": ([(-5.0, 5.0)] * 2, 0.1),
    "rings": ([(-3.6, 3.6)] * 2, 0.04),
    "swiss_roll": ([(-4.2, 4.2)] * 2, 0.1),
    "s_curve": ([(-1.6, 1.6), (-0.6, 2.6), (-2.6, 2.6)], 0.1),
    "gaussian_mixture": ([(-5.5, 4.5), (-4.5, 5.0)], 0.1),
}
COUNT, CHUNK = 10_000, 4000


TOY = {name: made() for name, (made, _) in TOYS.items()}


@cache
def compiled(name):
    return jax.jit(jax.vmap(lambda x: TOY[name].density.fn({}, None, x, None)))


def log_densities(name, xs):
    """In blocks of one shape, so that each toy compiles once."""
    size = -(-len(xs) // CHUNK) * CHUNK
    blocks = np.resize(np.asarray(xs, np.float32), (size // CHUNK, CHUNK, np.shape(xs)[1]))
    seen = np.concatenate([compiled(name)(block) for block in blocks])
    return seen.astype(np.float64)[: len(xs)]


@cache
def drawn(name):
    draw = jax.jit(lambda key: sample_many(TOY[name], {}, key, COUNT, chunk=COUNT))
    return np.asarray(draw(jax.random.key(1)))


# What the curves are, written again: a cloud of many points in float64, and the noise around them.
def arc(t):
    return np.stack([np.cos(t), np.sin(t)], -1)


def uniform(a, b, count=4000):
    return a + (np.arange(count) + 0.5) * (b - a) / count


UPPER = arc(uniform(0, np.pi))
ROLL = uniform(1.5 * np.pi, 4.5 * np.pi)
BEND = uniform(-1.5 * np.pi, 1.5 * np.pi)
CLOUDS = {
    "eight_gaussians": (np.sqrt(8) * arc(np.arange(8) * np.pi / 4), np.sqrt(1 / 8)),
    "moons": (np.concatenate([UPPER, [1, 0.5] - UPPER]), 0.1),
    "rings": (np.concatenate([k * 0.75 * arc(uniform(0, 2 * np.pi)) for k in (1, 2, 3, 4)]), 0.08),
    "swiss_roll": (ROLL[:, None] * arc(ROLL) / 5, 0.2),
}


def from_cloud(points, sigma, axes):
    """The density on a grid, `mean of N(x; point, sigma^2 I)`, axis by axis."""
    along = [stats.norm.pdf(axis[:, None], points[:, i], sigma) for i, axis in enumerate(axes)]
    return along[0] @ along[1].T / len(points)


def test_every_toy_has_a_box():
    assert set(BOXES) == set(TOYS)


@pytest.mark.parametrize("name", sorted(TOYS))
def test_integrates_to_one_and_samples_agree(name):
    box, spacing = BOXES[name]
    assert type(TOY[name].density) is Exact and TOY[name].init(jax.random.key(0)) == {}
    axes = [a + (np.arange(round((b - a) / spacing)) + 0.5) * spacing for a, b in box]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(box))
    draws = drawn(name)
    assert draws.dtype == np.float32 and draws.shape == (COUNT, len(box))
    log_p, seen = log_densities(name, grid), log_densities(name, draws)
    p, cell = np.exp(log_p), spacing ** len(box)
    assert p.sum() * cell == pytest.approx(1, abs=1e-4)

    entropy = -np.sum(p * np.where(p > 0, log_p, 0)) * cell
    error = 4 * seen.std() / np.sqrt(COUNT) + 1e-4
    assert -seen.mean() == pytest.approx(entropy, abs=error)
    mean = (p[:, None] * grid).sum(0) * cell
    deviation = np.sqrt((p[:, None] * (grid - mean) ** 2).sum(0) * cell)
    np.testing.assert_allclose(draws.mean(0), mean, atol=4 * deviation.max() / np.sqrt(COUNT))
    np.testing.assert_allclose(draws.std(0), deviation, rtol=0.04)

    if name in CLOUDS:
        truth = from_cloud(*CLOUDS[name], axes)
        np.testing.assert_allclose(p.reshape(truth.shape), truth, atol=1e-5 + 1e-4 * truth.max())
        assert entropy == pytest.approx(-special.xlogy(truth, truth).sum() * cell, abs=1e-4)
    told = {"checkerboard": np.log(32), "eight_gaussians": 2.8316, "moons": 1.0076}
    assert entropy == pytest.approx(told.get(name, entropy), abs=1e-4)


def test_s_curve_is_a_bend_times_a_depth():
    points = np.array([(0.1, 1.0, -0.2), (-0.9, 0.03, 1.1), (1.0, -0.1, -2.0), (0.0, 2.2, 0.0)])
    y = points[:, 1]
    cloud = np.stack([np.sin(BEND), np.sign(BEND) * (np.cos(BEND) - 1)], -1)
    bend = stats.norm.pdf(points[:, None, ::2], cloud, 0.1).prod(-1).mean(-1)
    depth = stats.norm.pdf(y[:, None], uniform(0, 2), 0.1).mean(-1)
    seen = log_densities("s_curve", points)
    np.testing.assert_allclose(seen, np.log(bend * depth), atol=3e-4)


def test_far_log_densities_keep_their_digits():
    points = np.array([(1.0, 0.1), (-1.6, -0.5), (3.0, 2.0), (0.4, -2.0)])
    cloud, sigma = CLOUDS["moons"]
    away = -((points[:, None] - cloud) ** 2).sum(-1) / (2 * sigma**2)
    truth = special.logsumexp(away, -1) - np.log(len(cloud) * 2 * np.pi * sigma**2)
    np.testing.assert_allclose(log_densities("moons", points), truth, rtol=1e-5)


@pytest.mark.parametrize(
    "name, theirs",
    [
        ("moons", lambda: datasets.make_moons(COUNT, noise=0.1, random_state=1)[0]),
        ("s_curve", lambda: datasets.make_s_curve(COUNT, noise=0.1, random_state=1)[0]),
        (
            "swiss_roll",
            lambda: datasets.make_swiss_roll(COUNT, noise=1, random_state=1)[0][:, ::2] / 5,
        ),
    ],
)
def test_geometry_is_that_of_scikit_learn(name, theirs):
    ours, other = log_densities(name, drawn(name)), log_densities(name, theirs())
    assert other.mean() == pytest.approx(ours.mean(), abs=4 * ours.std() * np.sqrt(2 / COUNT))


def test_gaussian_mixture_in_three_dimensions():
    means, scales, weights = [[0, 0, 0], [1, 2, -1]], [0.5, 2.0], [3, 1]
    fn = jax.jit(gaussian_mixture(means, scales, weights).density.fn)
    x = np.array([0.3, 0.5, -0.2])
    each = [stats.multivariate_normal.pdf(x, m, s**2) for m, s in zip(means, scales, strict=True)]
    log_p = fn({}, None, jnp.asarray(x), None)
    assert log_p == pytest.approx(np.log(0.75 * each[0] + 0.25 * each[1]), abs=1e-5)
    assert fn({}, None, jnp.asarray(x), 1) == pytest.approx(np.log(each[1]), abs=1e-5)


@pytest.mark.parametrize("name", ["moons", "rings", "gaussian_mixture"])
def test_a_condition_is_a_component(name):
    shares, x = np.array(TOYS[name].shares), drawn(name)[:64]
    components = jnp.arange(len(shares))

    @jax.jit
    def each(xs):
        one = lambda x, k: TOY[name].density.fn({}, None, x, k)  # noqa: E731
        return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(xs, components)

    total = np.log(np.exp(np.asarray(each(x), np.float64)) @ shares)
    np.testing.assert_allclose(total, log_densities(name, x), atol=1e-4)
    # Draws of a component are nearest to it.
    wanted = np.arange(64) % len(shares)
    draw = jax.jit(lambda key: sample_many(TOY[name], {}, key, 64, wanted))
    own = draw(jax.random.key(0))
    nearest = np.argmax(each(own), -1)
    assert np.mean(nearest == wanted) > 0.95


def test_checkerboard_is_empty_where_it_should_be():
    fn = TOY["checkerboard"].density.fn
    inside, beside, outside = [0.5, 0.5], [0.5, 2.5], [4.5, 4.5]
    seen = [fn({}, None, jnp.array(x), None) for x in (inside, beside, outside)]
    np.testing.assert_allclose(seen, [-np.log(32), -np.inf, -np.inf], rtol=1e-6)


@pytest.mark.parametrize("name", ["moons", "rings", "s_curve"])
def test_gradients_and_far_points_are_finite(name):
    dimension, fn = len(BOXES[name][0]), TOY[name].density.fn
    slope = jax.jit(jax.vmap(jax.value_and_grad(lambda x: fn({}, None, x, None))))
    values, slopes = slope(jnp.asarray([[0.0] * dimension, [9.0] * dimension]))
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(slopes))


def test_gaussian_mixture_refuses():
    with pytest.raises(ValueError, match=r"got means \(2, 1\), 1 scales and 2 weights"):
        gaussian_mixture([[0.0], [1.0]], [1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="wanted numbers above zero"):
        gaussian_mixture([[0.0], [1.0]], [1.0, 0.0], [0.5, 0.5])
