"""Two sides of every example, an image and its words say: each finds the other among all of a batch."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from .nt_xent import unit
from .rows import over_rows

MOST = math.log(100.0)  # of the log-scale: a sharper softmax makes training leap


def sharpness(log_scale):
    """`exp(min(log_scale, log 100))`, with the slope of `exp` beyond as well: what overshoots comes back."""
    return jnp.exp(log_scale - jax.lax.stop_gradient(jnp.maximum(log_scale - MOST, 0)))


def clip_loss(a, b, log_scale):
    """`-mean_i (log softmax_j(s_ij)_i + log softmax_j(s_ji)_i) / 2`, s_ij = exp(log_scale) cos(a_i, b_j).

    `a, b: f32[n, d]` are the two sides of n examples, of any length; `log_scale` is a parameter, cut as
    `sharpness` cuts it. Both halves are InfoNCE: at their best `s = log p(a, b) / p(a) p(b)` up to a
    constant. Memory does not grow with the number of pairs.

    Radford et al. (2021), arXiv:2103.00020.
    """
    a, b = unit(a) * sharpness(log_scale), unit(b)

    def partition(rows, others):
        return over_rows(lambda r: jax.nn.logsumexp(r @ others.T, 1), rows, len(others))

    return jnp.mean(partition(a, b) + partition(b, a)) / 2 - jnp.vdot(a, b) / len(a)


def siglip_loss(a, b, log_scale, bias):
    """`-sum_ij log sigmoid(y_ij (exp(log_scale) cos(a_i, b_j) + bias)) / n`, y_ij = 1 if i = j, -1 else.

    Every pair is a coin of its own: at their best the logits are `log p(a, b) / p(a) p(b) - log(n - 1)`.
    Usual beginnings are `log_scale = log 10` and `bias = -10`, where most of the n^2 pairs are rightly told
    apart. The scale is cut as that of `clip_loss`. Memory does not grow with the number of pairs.

    Zhai et al. (2023), arXiv:2303.15343.
    """
    a, b, number = unit(a) * sharpness(log_scale), unit(b), jnp.arange(len(a))

    def of_each(block):
        a_i, i = block
        sign = jnp.where(i[:, None] == number, 1.0, -1.0)
        return -jax.nn.log_sigmoid(sign * (a_i @ b.T + bias)).sum(1)

    return jnp.mean(over_rows(of_each, (a, number), len(b)))
