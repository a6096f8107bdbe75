"""Eight Gaussians in a ring: what a model of them misses, by quadrature and by its samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from probtransform.core import Event, log_density_many, sample_many
from probtransform.data.toys import eight_gaussians
from probtransform.evaluation.energy_distance import energy_distance
from probtransform.evaluation.modes import modes_covered

EVENT, KEY, TRUTH = Event((2,)), jax.random.key(0), eight_gaussians()
ANGLES = np.arange(8) * np.pi / 4
CENTRES, DEVIATION = np.sqrt(8) * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1), np.sqrt(1 / 8)


def grid(reach: float, cells: int):
    """The midpoints of a square, `f32[cells^2, 2]`, and the logarithm of the area of each cell."""
    axis = (np.arange(cells) + 0.5) / cells * 2 * reach - reach
    x = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    return jnp.asarray(x, jnp.float32), 2 * math.log(2 * reach / cells)


def log_mass(distribution, params, reach: float = 8.0, cells: int = 400) -> float:
    """`log Z` by quadrature: zero of a law that is normalised."""
    x, area = grid(reach, cells)
    nats = log_density_many(distribution, params, KEY, x, chunk=10_000)
    return float(logsumexp(np.asarray(nats, np.float64))) + area


def divergence(nats: Callable[[Any], Any], reach: float = 5.0, cells: int = 100) -> float:
    """`KL(law || model)` in nats by quadrature; `nats` gives log-densities of the model, normalised."""
    x, area = grid(reach, cells)
    log_p = np.asarray(log_density_many(TRUTH, {}, KEY, x, chunk=10_000), np.float64)
    return float(np.exp(log_p + area) @ (log_p - np.asarray(nats(x), np.float64)))


def divergence_of(distribution, params, log_z: float = 0.0) -> float:
    return divergence(lambda x: log_density_many(distribution, params, KEY, x) - log_z)


def samples_of(distribution, params, count: int) -> dict[str, float]:
    """How near draws are to the law's; `good` is the share within three deviations of a mean."""
    x = sample_many(distribution, params, jax.random.key(7), count)
    y = sample_many(TRUTH, {}, jax.random.key(8), count)
    found = modes_covered(x, CENTRES, 3 * DEVIATION, 0.1 / 8)
    return {
        "good": found.near,
        "shares": found.kl,
        "distance": energy_distance(np.asarray(x), np.asarray(y)),
    }
