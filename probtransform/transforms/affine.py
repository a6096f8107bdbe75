"""The affine map of a whole vector: full covariance."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example


def affine(size: int) -> Transform[Exact]:
    """`x = mean + L z` with `L` lower triangular, its diagonal `exp(log_diagonal)`: the identity at first.

    Example: `z, x: f32[size]`. `log|det| = sum(log_diagonal)`.
    """

    def init(key):
        return {
            "mean": jnp.zeros(size),
            "log_diagonal": jnp.zeros(size),
            "below": jnp.zeros((size, size)),
        }

    def matrix(params):
        return jnp.tril(params["below"], -1) + jnp.diag(jnp.exp(params["log_diagonal"]))

    def forward(params, key, z, cond=None):
        return params["mean"] + matrix(params) @ z

    def inverse(params, key, x, cond=None):
        example("affine", x, (size,))
        z = jax.scipy.linalg.solve_triangular(matrix(params), x - params["mean"], lower=True)
        return z, -params["log_diagonal"].sum()

    def joint(params, key, z, cond=None):
        return forward(params, key, z), -params["log_diagonal"].sum()

    return Transform(init, forward, Exact(inverse), joint)


def affine_of(mean, covariance):
    """The parameters with which `affine` carries N(0, I) to `N(mean, covariance)`: its Cholesky factor."""
    factor = jnp.linalg.cholesky(covariance)
    return {"mean": mean, "log_diagonal": jnp.log(jnp.diag(factor)), "below": jnp.tril(factor, -1)}
