"""Jointly normal ends and a Brownian blur between them: every law on the way is a known normal."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.linalg import sqrtm


class Ends(NamedTuple):
    """`z ~ N(m, A)`, `x ~ N(n, B)`, `Cov(z, x) = C`."""

    m: np.ndarray
    n: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray

    def mean(self, t):
        return (1 - t) * self.m + t * self.n

    def covariance(self, t, scale):
        """Of x_t, `scale` that of the Brownian bridge."""
        c = self.c + self.c.T
        blur = scale**2 * np.eye(len(self.m))
        return (1 - t) ** 2 * self.a + t**2 * self.b + t * (1 - t) * (c + blur)

    def field(self, scale):
        """`(x, t) -> (E[x - z | x_t], score)`: regression of normals on normals."""

        def field(x, t):
            away = jnp.linalg.solve(self.covariance(t, scale), x - self.mean(t))
            with_x_t = (1 - t) * (self.c.T - self.a) + t * (self.b - self.c)
            return self.n - self.m + with_x_t @ away, -away

        return field

    def drawn(self, n: int, seed: int):
        """Pairs `z, x: [n, d]`."""
        both = np.block([[self.a, self.c], [self.c.T, self.b]])
        where = np.concatenate([self.m, self.n])
        pairs = np.random.default_rng(seed).multivariate_normal(where, both, n)
        return pairs[:, : len(self.m)], pairs[:, len(self.m) :]


def schroedinger(m, n, a, b, scale: float) -> Ends:
    """The ends of the Schrödinger bridge of `scale` times a Brownian motion.

    `C = (A^1/2 D A^-1/2 - s^2 I) / 2`, `D = (4 A^1/2 B A^1/2 + s^4 I)^1/2`.
    Janati et al. (2020), arXiv:2006.02572; Bunne et al. (2022), arXiv:2202.05722.
    """
    root, one = np.real(sqrtm(a)), np.eye(len(a))
    d = np.real(sqrtm(4 * root @ b @ root + scale**4 * one))
    return Ends(m, n, a, b, (root @ d @ np.linalg.inv(root) - scale**2 * one) / 2)


SCALE = 0.8
M, N = np.array([0.5, -1.0]), np.array([-1.0, 2.0])
A, B = np.array([[1.0, 0.3], [0.3, 0.5]]), np.array([[0.6, -0.5], [-0.5, 1.5]])
BRIDGE = schroedinger(M, N, A, B, SCALE)
APART = Ends(M, N, A, B, np.zeros((2, 2)))
