"""Two views of every example: each finds the other among all views of all."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...core.check import above_zero
from .rows import over_rows


def unit(z):
    """Rows of length one, in single precision at least; one of zeros stays, its slope finite there.

    In half precision a sum of squares is soon infinite, and the least length is zero.
    """
    z = jnp.asarray(z, jnp.promote_types(jnp.result_type(z), jnp.float32))
    return z * jax.lax.rsqrt(jnp.maximum(jnp.sum(z**2, -1, keepdims=True), 1e-12))


def nt_xent(a, b, temperature: float = 0.5):
    """`-mean_i log( exp(s_ip) / sum_{j != i} exp(s_ij) )` over the 2n views, p the other view of i.

    `s_ij` is the cosine of i and j over the temperature; `a, b: f32[n, d]` are two views of n examples, of
    any length. At random in many dimensions it is `log(2n - 1)`. Memory does not grow with the number of
    pairs.

    Chen et al. (2020), arXiv:2002.05709, equation 1. Raises ValueError unless `temperature` is above zero.
    """
    above_zero("nt_xent", temperature=temperature)
    z = unit(jnp.concatenate([a, b])) * temperature**-0.5
    n, number = len(a), jnp.arange(2 * len(a))

    def of_others(block):
        z_i, i = block
        s = z_i @ z.T
        return jax.nn.logsumexp(jnp.where(i[:, None] == number, -jnp.inf, s), 1)

    return jnp.mean(over_rows(of_others, (z, number), 2 * n)) - 2 * jnp.vdot(z[:n], z[n:]) / (2 * n)
