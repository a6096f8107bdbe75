"""Marginals: each entry by the quantiles of its own histogram, so that only dependence is left."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri
from jax.scipy.stats import norm

from ..core import Exact, Transform
from ..core.check import example, positive


def marginal(size: int, bins: int) -> Transform[Exact]:
    """`x_i = F_i^-1(Phi(z_i))`: normal numbers to [-1, 1], `F_i` the CDF of a histogram of `bins` cells.

    The block holds log-masses `f32[size, bins]`, all alike at first; `marginal_of(x, bins)` reads them
    off data, and then each entry of z is standard normal, whatever the marginal of x was:
    the first half of a Gaussian copula. `z, x: f32[size]`; the way back wants |x| <= 1.

    Chen & Gopinath (2000), Gaussianization, NIPS 13.
    """
    positive("marginal", size=size, bins=bins)

    def cells(params):
        """Masses, and what lies below and above each cell: sums of their own keep small tails exact."""
        mass = jax.nn.softmax(params["log_mass"])
        earlier = jnp.triu(jnp.ones((bins, bins)), 1)
        below = jnp.matmul(mass, earlier, precision="highest")
        above = jnp.matmul(mass, earlier.T, precision="highest")
        return mass, below, above

    def at(table, cell):
        return jnp.take_along_axis(table, cell[:, None], 1)[:, 0]

    def weight(mass, z):
        """`sum log dz/dx`: the density of the histogram over that of the normal."""
        return (jnp.log(mass * bins / 2) - norm.logpdf(z)).sum()

    def joint(params, key, z, cond=None):
        mass, below, above = cells(params)
        low, high = ndtr(z), ndtr(-z)
        cell = jnp.sum(low[:, None] >= below[:, 1:], 1)
        mass, below, above = at(mass, cell), at(below, cell), at(above, cell)
        place = jnp.where(z < 0, (low - below) / mass, 1 - (high - above) / mass)
        x = (cell + jnp.clip(place, 0, 1)) / bins * 2 - 1
        return x, weight(mass, z)

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("marginal", x, (size,))
        scaled = (x + 1) / 2 * bins
        cell = jnp.clip(jnp.floor(scaled), 0, bins - 1).astype(jnp.int32)
        mass, below, above = (at(table, cell) for table in cells(params))
        place = scaled - cell
        tiny = 1e-30  # the very ends of [-1, 1] are 11 deviations out, not infinitely far
        low = jnp.maximum(below + place * mass, tiny)
        high = jnp.maximum(above + (1 - place) * mass, tiny)
        left = low < high
        z = jnp.where(left, 1, -1) * ndtri(jnp.where(left, low, high))
        return z, weight(mass, z)

    def init(key):
        return {"log_mass": jnp.zeros((size, bins))}

    return Transform(init, forward, Exact(inverse), joint)


def marginal_of(x, bins: int):
    """The parameters of `marginal` from data `x: f32[n, size]` in [-1, 1], half an example more a cell."""
    cell = jnp.clip(jnp.floor((x + 1) / 2 * bins), 0, bins - 1).astype(jnp.int32)
    counts = jax.vmap(lambda c: jnp.bincount(c, length=bins), in_axes=1)(cell) + 0.5
    return {"log_mass": jnp.log(counts / counts.sum(1, keepdims=True))}
