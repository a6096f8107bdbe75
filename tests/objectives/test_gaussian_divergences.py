"""Closed forms between Gaussians in the plane, against quadrature, matrix roots and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import multivariate_normal

from probtransform.objectives import divergences
from probtransform.objectives.divergences import Gaussian, alpha_divergence, bures, gaussian_of

MEANS = np.array([[0.3, -0.1], [-0.2, 0.4]])
COVARIANCES = np.array([[[1.0, 0.3], [0.3, 0.8]], [[1.2, 0.1], [0.1, 1.0]]])
CLOSED = {k: d for k, d in divergences.NAMED.items() if d.gaussians} | {
    "alpha_0.3": alpha_divergence(0.3),
    "alpha_1.3": alpha_divergence(1.3),
}


def pair():
    return tuple(
        Gaussian(jnp.asarray(m), jnp.asarray(s)) for m, s in zip(MEANS, COVARIANCES, strict=True)
    )


@pytest.mark.parametrize("name", CLOSED)
def test_in_the_plane(name):
    line = np.linspace(-25, 25, 801)
    at = np.stack(np.meshgrid(line, line), -1)
    p, q = (multivariate_normal(m, s).logpdf(at) for m, s in zip(MEANS, COVARIANCES, strict=True))
    with jax.enable_x64(True):
        whole = (np.exp(q) * CLOSED[name].f(jnp.asarray(p - q))).sum() * (line[1] - line[0]) ** 2
        assert CLOSED[name].gaussians(*pair()) == pytest.approx(float(whole), rel=1e-8)


def test_where_the_integral_does_not_exist():
    narrow, wide = (Gaussian(jnp.zeros(2), s * jnp.eye(2)) for s in (1.0, 2.1))
    assert divergences.pearson.gaussians(wide, narrow) == jnp.inf  # E_Q (p/q)^2 with 2 S_q < S_p
    assert divergences.neyman.gaussians(narrow, wide) == jnp.inf
    assert jnp.isfinite(divergences.pearson.gaussians(narrow, wide))


def test_bures_by_roots_of_matrices():
    root = sqrtm(COVARIANCES[0])
    fidelity = np.trace(sqrtm(root @ COVARIANCES[1] @ root)).real
    wanted = ((MEANS[0] - MEANS[1]) ** 2).sum() + np.trace(COVARIANCES.sum(0)) - 2 * fidelity
    with jax.enable_x64(True):
        p, q = pair()
        assert bures(p, q) == pytest.approx(wanted, rel=1e-12)
        assert bures(q, p) == pytest.approx(wanted, rel=1e-12)
        assert bures(p, p) == pytest.approx(0, abs=1e-12)


def test_the_slope_of_bures():
    """By differences; and finite where all eigenvalues coincide, the pitfall of roots by eigenvectors."""
    with jax.enable_x64(True):
        p, q = pair()
        turn = jnp.array([[0.2, -0.5], [-0.5, 0.1]])

        def along(h):
            return bures(p._replace(covariance=p.covariance + h * turn), q)

        wanted = (along(1e-5) - along(-1e-5)) / 2e-5
        assert jax.grad(along)(0.0) == pytest.approx(float(wanted), rel=1e-7)
        ball = Gaussian(jnp.zeros(3), jnp.eye(3))
        slope = jax.grad(lambda s: bures(Gaussian(jnp.ones(3), s), ball))(4 * jnp.eye(3))
        np.testing.assert_allclose(
            slope, np.eye(3) / 2, atol=1e-12
        )  # d (sqrt s - 1)^2 = 1 - 1/sqrt s


def test_moments_of_a_sample():
    x = np.random.default_rng(0).normal(size=(50, 3))
    with jax.enable_x64(True):
        found = gaussian_of(jnp.asarray(x))
    np.testing.assert_allclose(found.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x.T, bias=True), rtol=1e-12)
