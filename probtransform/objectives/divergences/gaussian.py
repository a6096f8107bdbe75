"""Divergences between two Gaussians in closed form."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.scipy.linalg import cho_solve


class Gaussian(NamedTuple):
    """`mean: f32[d]` and `covariance: f32[d, d]`, positive definite."""

    mean: Any
    covariance: Any


def gaussian_of(x) -> Gaussian:
    """The Gaussian of the moments of `x: f32[n, d]`, n > d; the covariance divides by n."""
    mean = jnp.mean(x, 0)
    away = x - mean
    return Gaussian(mean, away.T @ away / len(x))


def kl_of_gaussians(p: Gaussian, q: Gaussian):
    """`KL(P || Q) = (tr(S_q^-1 S_p) + m' S_q^-1 m - d + log |S_q| / |S_p|) / 2`, m between the means."""
    root, shift = jnp.linalg.cholesky(q.covariance), p.mean - q.mean
    spread = jnp.trace(cho_solve((root, True), p.covariance))
    away = shift @ cho_solve((root, True), shift)
    volume = log_determinant(root) - log_determinant(jnp.linalg.cholesky(p.covariance))
    return (spread + away - len(shift) + volume) / 2


def log_overlap(alpha: float, p: Gaussian, q: Gaussian):
    """`log int p^a q^(1 - a)`, a = alpha: zero at 0, at 1 and for equal laws.

    `(b log |S_p| + a log |S_q| - log |S|) / 2 - a b m' S^-1 m / 2` with `b = 1 - a` and
    `S = b S_p + a S_q`. Outside [0, 1] the integral need not exist: infinite unless S is positive definite.

    Gil et al. (2013), Inform. Sci. 249.
    """
    beta, shift = 1 - alpha, p.mean - q.mean
    root = jnp.linalg.cholesky(beta * p.covariance + alpha * q.covariance)
    own, other = (log_determinant(jnp.linalg.cholesky(g.covariance)) for g in (p, q))
    volume = beta * own + alpha * other - log_determinant(root)
    away = alpha * beta * shift @ cho_solve((root, True), shift)
    return jnp.where(jnp.isnan(root).any(), jnp.inf, (volume - away) / 2)


def alpha_of_gaussians(alpha: float, p: Gaussian, q: Gaussian):
    """`(int p^a q^(1 - a) - 1) / (a (a - 1))`, the `alpha_divergence` of two Gaussians."""
    return jnp.expm1(log_overlap(alpha, p, q)) / (alpha * (alpha - 1))


def bures(p: Gaussian, q: Gaussian):
    """The squared W_2, `|m|^2 + tr(S_p + S_q - 2 (S_p^1/2 S_q S_p^1/2)^1/2)`.

    The trace of the root is the sum of the singular values of `L_p' L_q`, L the Cholesky factors, whose
    derivative exists where eigenvalues coincide too.

    Dowson & Landau (1982), J. Multivar. Anal. 12.
    """
    roots = [jnp.linalg.cholesky(g.covariance) for g in (p, q)]
    fidelity = jnp.linalg.svd(roots[0].T @ roots[1], compute_uv=False).sum()
    spread = jnp.trace(p.covariance) + jnp.trace(q.covariance) - 2 * fidelity
    return jnp.sum((p.mean - q.mean) ** 2) + spread


def log_determinant(root):
    """`log |L L'|` of a Cholesky factor."""
    return 2 * jnp.log(jnp.diagonal(root)).sum()
