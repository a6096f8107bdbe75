"""Views that share a label belong together."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...core.check import above_zero
from .nt_xent import unit
from .rows import over_rows


def sup_con(z, labels, temperature: float = 0.1):
    """`-mean_i mean_{p in P(i)} log( exp(s_ip) / sum_{j != i} exp(s_ij) )`, P(i) the others of i's label.

    `s_ij` is the cosine over the temperature; `z: f32[n, d]` are views of any length, `labels: i32[n]`. A
    view that is alone with its label is left out of the mean. With one label for each pair of views it is
    `nt_xent`. Memory does not grow with the number of pairs.

    Khosla et al. (2020), arXiv:2004.11362, equation 2 (the sum outside the logarithm).
    Raises ValueError unless `temperature` is above zero.
    """
    above_zero("sup_con", temperature=temperature)
    z, number = unit(z) * temperature**-0.5, jnp.arange(len(z))

    def of_each(block):
        z_i, i, label = block
        s, itself = z_i @ z.T, i[:, None] == number
        friends = (label[:, None] == labels) & ~itself
        count = friends.sum(1)
        pull = jnp.where(friends, s, 0.0).sum(1) / jnp.maximum(count, 1)
        return jax.nn.logsumexp(jnp.where(itself, -jnp.inf, s), 1) - pull, count > 0

    nats, told = over_rows(of_each, (z, number, labels), len(z))
    return jnp.where(told, nats, 0.0).sum() / jnp.maximum(told.sum(), 1)
