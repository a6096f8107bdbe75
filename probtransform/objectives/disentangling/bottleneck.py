"""The divergence weighed, or held at a level that grows: beta-VAE and annealed capacity."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ...core import Transform
from ...core.check import not_negative, positive
from .codes import bound, encoding


def counter(key):
    """The carry of `bottleneck`: how many updates were made."""
    return jnp.zeros((), jnp.int32)


def bottleneck(
    step: Transform[Any],
    beta: float = 4.0,
    capacity: float = 0.0,
    warm: int = 1,
    name: str = "decoder",
):
    """`-E log p(x|z) + beta |KL - C|`, C growing evenly from 0 to `capacity` nats in `warm` updates.

    Without capacity it is the beta-VAE, and the negative bound at `beta = 1`; with some, beta is large, and
    codes are let in one by one. The carry is `counter`.

    Higgins et al. (2017), ICLR; Burgess et al. (2018), arXiv:1804.03599, equation 8.
    Raises ValueError for a negative number, no updates, or a step without an encoder, as all losses here.
    """
    positive("bottleneck", warm=warm)
    not_negative("bottleneck", beta=beta, capacity=capacity)
    encode = encoding(step, name)

    def loss(params, carry, key, batch):
        distortion, kl = bound(encode(params, key, batch))
        room = capacity * jnp.minimum(carry / warm, 1.0)
        seen = {"nats": distortion + kl, "kl": kl}
        return distortion + beta * jnp.abs(kl - room), (carry + 1, seen)

    return loss
