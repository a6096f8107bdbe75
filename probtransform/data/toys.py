"""Toys: distributions in two or three dimensions whose density is known.

Each is a `Distribution[Exact]` without parameters, so it is data and the measure of a model at
once. Those made of components take a component's index as condition: None is the whole mixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e, log_ndtr

from ..core.density import Exact
from ..core.distribution import Distribution
from .curve import draw_near, log_density_near
from .mixture import WEIGHTS, gaussian_mixture, mixture


def eight_gaussians() -> Distribution[Exact]:
    """Eight equal Gaussians on a circle, `x: [2]`: radius 4/sqrt 2, deviation 0.5/sqrt 2.

    Entropy 2.8316 nats. Condition: the component, counter-clockwise from (1, 0).
    Grathwohl et al. (2019), arXiv:1810.01367.
    """
    angles = np.arange(8) * np.pi / 4
    means = 4 / np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], -1)
    return gaussian_mixture(means, [0.5 / np.sqrt(2)] * 8, [1 / 8] * 8)


def checkerboard() -> Distribution[Exact]:
    """Uniform on 8 of the 16 squares of [-4, 4]^2, `x: [2]`: `p = 1/32` where the colours agree.

    A square has side 2 and is filled if `floor(x_1/2) + floor(x_2/2)` is even. Entropy ln 32 or
    3.4657 nats; the log-density outside is minus infinity.
    Grathwohl et al. (2019), arXiv:1810.01367.
    """

    def sample(params, key, cond=None):
        where, inside = jax.random.split(key)
        column, row = jnp.divmod(jax.random.randint(where, (), 0, 8), 2)
        corner = jnp.stack([column - 2, 2 * row + column % 2 - 2])
        return 2 * (corner + jax.random.uniform(inside, (2,)))

    def log_density(params, key, x, cond=None):
        filled = jnp.all(jnp.abs(x) <= 4) & (jnp.sum(jnp.floor(x / 2)) % 2 == 0)
        return jnp.where(filled, -jnp.log(32.0), -jnp.inf)

    return Distribution(lambda key: {}, sample, Exact(log_density))


def rings() -> Distribution[Exact]:
    """Four equal circles, R = 0.75, 1.5, 2.25 and 3, with noise of deviation s = 0.08, `x: [2]`.

    `p_R(x) = exp(-(r^2 + R^2) / 2 s^2) I_0(r R / s^2) / (2 pi s^2)` at `r = |x|`. Condition: the
    ring, from within. Grathwohl et al. (2019), arXiv:1810.01367.
    """
    radii, s = jnp.asarray([0.75, 1.5, 2.25, 3.0]), 0.08

    def draw(key, k):
        return draw_near(key, lambda t: radii[k] * circle(t), (0.0, 2 * np.pi), s)

    def log_densities(x):
        # The exponential of I_0 completes the square: exp(-(r - R)^2 / 2 s^2) times i0e.
        r = jnp.sqrt(jnp.sum(x**2) + 1e-30)
        bessel = jnp.log(i0e(r * radii / s**2))
        return bessel - (r - radii) ** 2 / (2 * s**2) - np.log(2 * np.pi * s**2)

    return mixture((1, 1, 1, 1), draw, log_densities)


def moons() -> Distribution[Exact]:
    """Two half circles with noise of deviation 0.1, `x: [2]`, scikit-learn's geometry as it is.

    `(cos t, sin t)` and `(1 - cos t, 1/2 - sin t)`, t uniform in [0, pi]; within [-1.4, 2.4] x
    [-0.9, 1.4]. Entropy 1.0076 nats. Condition: the upper moon 0 or the lower 1.
    """
    side, shift = jnp.asarray([1.0, -1.0]), jnp.asarray([[0.0, 0.0], [1.0, 0.5]])

    def moon(k):
        return (lambda t: side[k] * circle(t) + shift[k]), (0.0, np.pi), 0.1

    def log_densities(x):
        return jnp.stack([log_density_near(x, *moon(0)), log_density_near(x, *moon(1))])

    return mixture((1, 1), lambda key, k: draw_near(key, *moon(k)), log_densities)


def swiss_roll() -> Distribution[Exact]:
    """A spiral with noise of deviation 0.2, `x: [2]`, within about [-3.5, 3.5]^2.

    `(t cos t, t sin t) / 5` with t uniform in [3 pi/2, 9 pi/2]: scikit-learn's roll seen from its
    end, its noise 1 and the whole divided by 5. Grathwohl et al. (2019), arXiv:1810.01367.
    """
    spiral = (lambda t: t * circle(t) / 5), (1.5 * np.pi, 4.5 * np.pi), 0.2

    def sample(params, key, cond=None):
        return draw_near(key, *spiral)

    def log_density(params, key, x, cond=None):
        return log_density_near(x, *spiral)

    return Distribution(lambda key: {}, sample, Exact(log_density))


def s_curve() -> Distribution[Exact]:
    """A sheet bent to an S with noise of deviation s = 0.1, `x: [3]`, scikit-learn's geometry.

    `(sin t, y, sign(t) (cos t - 1))`, t uniform in [-3 pi/2, 3 pi/2] and y in [0, 2]. The noise
    leaves the two apart: the density is that of the noisy S times `(F(y/s) - F((y - 2)/s)) / 2`,
    F the normal distribution function.
    """
    s = 0.1
    bend = (
        (lambda t: jnp.stack([jnp.sin(t), jnp.sign(t) * (jnp.cos(t) - 1)])),
        (-1.5 * np.pi, 1.5 * np.pi),
        s,
    )

    def sample(params, key, cond=None):
        first, second = jax.random.split(key)
        x, z = draw_near(first, *bend)
        (y,) = draw_near(second, lambda t: t[None], (0.0, 2.0), s)
        return jnp.stack([x, y, z])

    def log_density(params, key, x, cond=None):
        # Folded about the middle, so that both logarithms are taken in the tail that keeps them.
        fold = jnp.abs(x[1] - 1)
        near, far = log_ndtr((1 - fold) / s), log_ndtr(-(1 + fold) / s)
        depth = near + jnp.log1p(-jnp.exp(far - near)) - np.log(2)
        return log_density_near(x[jnp.array([0, 2])], *bend) + depth

    return Distribution(lambda key: {}, sample, Exact(log_density))


def circle(t):
    return jnp.stack([jnp.cos(t), jnp.sin(t)])


class Toy(NamedTuple):
    """A toy, and the share of each of its labels (none if it has no components)."""

    make: Callable[[], Distribution[Exact]]
    shares: tuple[float, ...] = ()


TOYS = {
    "moons": Toy(moons, (1 / 2,) * 2),
    "eight_gaussians": Toy(eight_gaussians, (1 / 8,) * 8),
    "checkerboard": Toy(checkerboard),
    "rings": Toy(rings, (1 / 4,) * 4),
    "swiss_roll": Toy(swiss_roll),
    "s_curve": Toy(s_curve),
    "gaussian_mixture": Toy(gaussian_mixture, WEIGHTS),
}
