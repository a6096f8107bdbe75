"""A mixture of Gaussians that is learned: for codes that have no law of their own yet."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from ..core import Distribution, Exact, one_hot
from ..core.check import example, positive


def gaussian_mixture(
    size: int, components: int, classes: int = 0, name: str = "mixture"
) -> Distribution[Exact]:
    """`p(z) = sum_c w_c N(z; m_c, (R_c^T R_c)^-1)`, R lower triangular with a positive diagonal.

    A class label moves the weights alone: `log w = b + table[label]` up to a constant. The block `name` holds
    `mean: [components, size]`, `root: [components, size, size]`, `weight` and, with labels, `table`. The
    diagonal of `root` is kept in logarithms, in [-5, 5], so that no component shrinks to a point; what is
    above it is not read. `mixture_of(z, ...)` makes a block to begin from, out of data.

    Example: `gaussian_mixture(16, 10)` samples `f32[16]`.
    Ghosh et al. (2019), arXiv:1903.12436, fit such a law to the codes of an autoencoder.
    Raises ValueError for a size or number below one, and for a z of another shape or of integers.
    """
    positive("gaussian_mixture", size=size, components=components)

    def init(key):
        return {name: spread_out(jax.random.normal(key, (components, size)), 0.0, classes)}

    def log_weights(params, cond):
        moved = one_hot(cond, classes) @ params["table"] if classes else 0.0
        return jax.nn.log_softmax(params["weight"] + moved)

    def sample(params, key, cond=None):
        params = params[name]
        which, noise = jax.random.split(key)
        c = jax.random.categorical(which, log_weights(params, cond))
        u = jax.random.normal(noise, (size,))
        return params["mean"][c] + solve_triangular(lower(params["root"][c]), u, lower=True)

    def log_density(params, key, z, cond=None):
        example("gaussian_mixture", z, (size,))
        params = params[name]
        root = lower(params["root"])
        u = jnp.einsum("cij,cj->ci", root, z - params["mean"])
        log_volume = jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)).sum(-1)
        each = jax.scipy.stats.norm.logpdf(u).sum(-1) + log_volume
        return jax.nn.logsumexp(log_weights(params, cond) + each)

    return Distribution(init, sample, Exact(log_density))


def lower(root):
    """The triangular matrix of its numbers, `[..., n, n]`, whose diagonal is kept in logarithms."""
    diagonal = jnp.exp(jnp.clip(jnp.diagonal(root, axis1=-2, axis2=-1), -5.0, 5.0))
    return jnp.tril(root, -1) + diagonal[..., None] * jnp.eye(root.shape[-1])


def spread_out(mean, log_scale, classes: int):
    """Components at `mean: [components, size]`, all round and of one size and weight."""
    components, size = mean.shape
    root = -jnp.asarray(log_scale) * jnp.eye(size)
    table = {"table": jnp.zeros((classes, components))} if classes else {}
    return table | {
        "mean": mean,
        "root": jnp.broadcast_to(root, (components, size, size)),
        "weight": jnp.zeros(components),
    }


def mixture_of(z, components: int, classes: int = 0):
    """Parameters of `gaussian_mixture` to begin from: components on the first of `z: f32[n, size]`, n at
    least `components`, as wide as z spreads."""
    return spread_out(z[:components], jnp.log(z.std(0) + 1e-3), classes)
