"""The covariance of the codes drawn to the identity: DIP-VAE."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...core import Transform
from ...core.check import not_negative
from .codes import bound, encoding


def moments(
    step: Transform[Any],
    off_diagonal: float = 10.0,
    diagonal: float = 10.0,
    of_codes: bool = True,
    name: str = "decoder",
):
    """`-E log p(x|z) + KL + a sum_{i != j} C_ij^2 + d sum_i (C_ii - 1)^2`.

    The weights are `off_diagonal` and `diagonal`, a and d. C is the batch's covariance of the codes,
    `Cov(mean) + E diag(scale^2)` (DIP-VAE II), or of their means alone (DIP-VAE I, with d about 10 a).

    Kumar et al. (2017), arXiv:1711.00848, equations 6 and 7. Raises ValueError for a negative weight.
    """
    not_negative("moments", off_diagonal=off_diagonal, diagonal=diagonal)
    encode = encoding(step, name)

    def loss(params, carry, key, batch):
        codes = encode(params, key, batch)
        distortion, kl = bound(codes)
        away = codes.mean - codes.mean.mean(0)
        covariance = away.T @ away / len(away)
        if of_codes:
            covariance = covariance + jnp.diag(jnp.exp(2 * codes.log_scale).mean(0))
        variances = jnp.diag(covariance)
        crossed = jnp.sum((covariance - jnp.diag(variances)) ** 2)
        penalty = off_diagonal * crossed + diagonal * jnp.sum((variances - 1) ** 2)
        seen = {"nats": distortion + kl, "kl": kl, "moments": penalty}
        return distortion + kl + penalty, (carry, seen)

    return loss
