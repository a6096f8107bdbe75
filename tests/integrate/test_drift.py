"""Steps of a known drift between normals: their mean and covariance, exactly, and as they shrink."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_bridge import BRIDGE, SCALE, A, B, M, N

from probtransform.core import Network, pushforward, sample_many
from probtransform.data.toys import eight_gaussians
from probtransform.integrate import bridging, drifting, grids, run
from probtransform.paths import brownian, drift
from probtransform.transforms import sampler

LEVELS = {
    "none": jnp.zeros_like,
    "half": lambda t: SCALE**2 / 4 + 0 * t,
    "bridge": lambda t: SCALE**2 / 2 + 0 * t,
    "rising and falling": lambda t: 3 * t * (1 - t),
}
EXACT = Network(lambda key: (), lambda params, x, t, cond: BRIDGE.field(SCALE)(x, t))


def propagated(table, field, mean, cov):
    """Mean and covariance through the rows of a table of an affine field, by its matrix and its noise."""
    one, (d,) = np.eye(len(mean)), mean.shape
    noise = np.zeros((len(table.t), 1)) if table.noise is None else table.noise
    slope = jax.jit(
        lambda t: (jax.jacfwd(lambda x: field(x, t))(jnp.zeros(d)), field(jnp.zeros(d), t))
    )
    for t, read, point, size in zip(table.t, table.read, table.point, noise, strict=True):
        f, k = (np.asarray(part) for part in slope(t))
        step = point[0] * one + point[1] * (read[0] * one + read[1] * f)
        mean = step @ mean + point[1] * read[1] * k
        cov = step @ cov @ step.T + size[0] ** 2 * one
    return mean, cov


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
def test_the_marginals_of_the_bridge_are_kept_at_every_diffusion(level):
    """From `N(m, A)` to `N(n, B)`: the mean exactly, as it goes straight, the covariance to first order."""
    errors = []
    with jax.enable_x64(True):
        field = drift(EXACT, brownian(SCALE), level)
        for n in (64, 128, 256):
            table = drifting(grids.uniform(n), level)
            ends = propagated(table, lambda x, t: field.apply((), x, t), M, A)
            np.testing.assert_allclose(ends[0], N, atol=1e-12)
            errors.append(np.abs(ends[1] - B).max())
    assert np.abs(np.diff(-np.log2(errors)) - 1).max() < 0.05
    assert errors[-1] < 0.05


def test_a_wrong_diffusion_keeps_nothing():
    with jax.enable_x64(True):
        field = drift(EXACT, brownian(SCALE), LEVELS["half"])
        table = drifting(grids.uniform(256), LEVELS["bridge"])
        _, cov = propagated(table, lambda x, t: field.apply((), x, t), M, A)
    assert np.abs(cov - B).max() > 0.1


def test_a_step_is_that_of_the_equation():
    """`run` on one row: the noise between two runs that differ in the level alone has the size of the row."""
    level, h, t = LEVELS["half"], 0.25, 0.5
    table = drifting([t, t + h], level)
    field = BRIDGE.field(SCALE)
    velocity = lambda x, t: field(x, t)[0]  # noqa: E731
    z, keys = jnp.array([0.3, -0.7]), jax.random.split(jax.random.key(0), 20_000)
    x = np.asarray(jax.vmap(lambda k: run(table, velocity, z, k))(keys))
    sd = np.sqrt(2 * h * SCALE**2 / 4)
    np.testing.assert_allclose(x.mean(0), z + h * velocity(z, t), atol=4 * sd / 20_000**0.5)
    np.testing.assert_allclose(np.cov(x.T), sd**2 * np.eye(2), atol=6 * sd**2 / 20_000**0.5)
    still = drifting([t, t + h])
    assert still.noise is None
    np.testing.assert_allclose(run(still, velocity, z), z + h * velocity(z, t), rtol=1e-6)


def test_bridging_is_exact_where_the_end_is_certain():
    """Mean `(1 - t) a + t b`, variance `s^2 t (1 - t)` at every time of a coarse grid; at its end b."""
    grid, a, b = np.array([0.0, 0.3, 0.4, 0.8, 1.0]), np.array([1.0, -2.0]), np.array([0.5, 3.0])
    for i in range(1, len(grid)):
        with jax.enable_x64(True):
            table = bridging(grid[: i + 1], SCALE)
            mean, cov = propagated(table, lambda x, t: (b - x) / (1 - t), a, np.zeros((2, 2)))
        t = grid[i]
        np.testing.assert_allclose(mean, (1 - t) * a + t * b, atol=1e-12)
        np.testing.assert_allclose(cov, SCALE**2 * t * (1 - t) * np.eye(2), atol=1e-12)


@pytest.mark.parametrize(
    "make", [lambda t: drifting(t, LEVELS["bridge"]), lambda t: bridging(t, SCALE)]
)
def test_draws_are_carried_from_end_to_end(make):
    """The SDE of the bridge as a sampler: mean and covariance of the data, and those of the coupling."""
    network = drift(EXACT, brownian(SCALE), LEVELS["bridge"])
    table = make(grids.uniform(200))
    z = BRIDGE.drawn(8000, 0)[0].astype(np.float32)
    keys = jax.random.split(jax.random.key(0), len(z))
    x = np.asarray(jax.jit(jax.vmap(sampler(network, table).forward, (None, 0, 0)))((), keys, z))
    found = np.cov(np.concatenate([z, x], 1).T)
    np.testing.assert_allclose(x.mean(0), N, atol=0.05)
    np.testing.assert_allclose(found[2:, 2:], B, atol=0.07)
    np.testing.assert_allclose(found[:2, 2:], BRIDGE.c, atol=0.06)


def test_any_base_is_carried():
    """Eight Gaussians moved by their own drift, a constant: a base that is not normal is taken as it is."""
    by = jnp.array([10.0, -5.0])
    network = Network(lambda key: (), lambda params, x, t, cond: by)
    moved = pushforward(eight_gaussians(), s=sampler(network, drifting(grids.uniform(5))))
    x = sample_many(moved, {"s": ()}, jax.random.key(0), 50) - by
    nats = jax.vmap(lambda x: eight_gaussians().density.fn({}, None, x, None))(x)
    assert (nats > np.log(1e-6)).all() and (jnp.linalg.norm(x, axis=1) > 1).all()
