"""Any invertible linear map, by its factors: the determinant is read off a diagonal."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from ..core import Exact, Transform
from ..core.check import example, positive


def lu(size: int, seed: int | None = None, bound: float = 3.0) -> Transform[Exact]:
    """`x = P L U z + shift`: P a fixed permutation, L unit lower and U upper triangular.

    The diagonal of U is `exp(s)` with `s = bound tanh(raw / bound)`, so that the map is never singular:
    `log|det| = sum s`. It starts as P alone, drawn from `seed`, or the identity if left out.

    Example: `z, x: f32[size]`. Kingma & Dhariwal (2018), arXiv:1807.03039.
    """
    positive("lu", size=size)
    factors = factors_of(size, seed, bound)

    def joint(params, key, z, cond=None):
        order, lower, upper, s = factors(params)
        return (lower @ (upper @ z))[order] + params["shift"], -s.sum()

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("lu", x, (size,))
        order, lower, upper, s = factors(params)
        return solved(order, lower, upper, (x - params["shift"])), -s.sum()

    def init(key):
        return start(size) | {"shift": jnp.zeros(size)}

    return Transform(init, forward, Exact(inverse), joint)


def pointwise(
    shape: tuple[int, int, int], seed: int | None = None, bound: float = 3.0
) -> Transform[Exact]:
    """An invertible 1 x 1 convolution: the same `P L U` over the channels of every place of an image.

    `z, x: f32[h, w, c]`, `log|det| = h w sum s`; no shift, which `actnorm` brings.
    Kingma & Dhariwal (2018), arXiv:1807.03039.
    """
    positive("pointwise", height=shape[0], width=shape[1], channels=shape[2])
    factors, places = factors_of(shape[2], seed, bound), math.prod(shape[:2])

    def joint(params, key, z, cond=None):
        order, lower, upper, s = factors(params)
        return z @ (lower @ upper)[order].T, -places * s.sum()

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("pointwise", x, shape)
        order, lower, upper, s = factors(params)
        columns = solved(order, lower, upper, x.reshape(places, -1).T)
        return columns.T.reshape(shape), -places * s.sum()

    return Transform(lambda key: start(shape[2]), forward, Exact(inverse), joint)


def start(size: int):
    zeros = jnp.zeros((size, size))
    return {"below": zeros, "above": zeros, "raw": jnp.zeros(size)}


def factors_of(size: int, seed: int | None, bound: float):
    """`params -> (order, L, U, s)`, the rows of P as indices and s the logarithm of U's diagonal."""
    order = np.arange(size) if seed is None else np.random.default_rng(seed).permutation(size)

    def factors(params):
        s = bound * jnp.tanh(params["raw"] / bound)
        lower = jnp.tril(params["below"], -1) + jnp.eye(size)
        return order, lower, jnp.triu(params["above"], 1) + jnp.diag(jnp.exp(s)), s

    return factors


def solved(order, lower, upper, x):
    """`U^-1 L^-1 P^T x`, by two substitutions and no matrix inverse."""
    x = x[np.argsort(order)]
    return solve_triangular(upper, solve_triangular(lower, x, lower=True, unit_diagonal=True))


def lu_of(matrix, bound: float = 3.0):
    """The parameters with which `lu(size, bound=bound)` is `z -> matrix @ z`, P the identity.

    Raises ValueError for a matrix that is not square, or with a pivot that is not positive (a singular
    one has such a pivot) or outside `exp(+-bound)`.
    """
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"lu_of: got shape {matrix.shape}, wanted a square matrix; pass f32[d, d]")
    lower, upper = np.eye(len(matrix)), matrix.copy()
    for i in range(len(matrix)):
        if not abs(np.log(max(upper[i, i], 1e-300))) < bound:
            raise ValueError(
                f"lu_of: got the pivot {upper[i, i]:.3g} in row {i}, wanted one between exp(-{bound:g}) and "
                f"exp({bound:g}); singular? else reorder its rows, flip a sign, or rescale"
            )
        lower[i + 1 :, i] = upper[i + 1 :, i] / upper[i, i]
        upper[i + 1 :] -= np.outer(lower[i + 1 :, i], upper[i])
    raw = bound * np.arctanh(np.log(np.diag(upper)) / bound)
    parts = {"below": lower, "above": upper, "raw": raw, "shift": np.zeros(len(matrix))}
    return {name: jnp.asarray(part) for name, part in parts.items()}
