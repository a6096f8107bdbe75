"""What an encoder says of a batch, and the evidence bound from it, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ...core import Batch, Transform, each
from ...distributions.encoded import Encoded


class Codes(NamedTuple):
    """What an encoder says of a batch: `z`, `mean`, `log_scale`: [b, k], and `log_likelihood`: [b]."""

    z: Any
    mean: Any
    log_scale: Any
    log_likelihood: Any


def encoding(step: Transform[Any], name: str) -> Callable[[Any, Any, Batch], Codes]:
    """`(params, key, batch) -> Codes`, one draw of z an example, for a `decoder` that is the block `name`.

    Raises ValueError for a step without an encoder.
    """
    way = step.inverse
    if not isinstance(way, Encoded):
        raise ValueError(
            f"encoding: got a step whose way back is {type(way).__name__}, wanted Encoded, that of a decoder "
            "with an encoder; make it by transforms.decoder"
        )

    def one(params, key, x, cond):
        mean, log_scale = way.posterior(params, x, cond)
        z = mean + jnp.exp(log_scale) * jax.random.normal(key, mean.shape)
        return Codes(z, mean, log_scale, way.log_likelihood(params, z, x, cond))

    return lambda params, key, batch: each(one, params[name], key, batch)


def bound(codes: Codes):
    """`(distortion, KL)`, means over the batch: `-E log p(x|z)` and the divergence from N(0, I)."""
    variance = jnp.exp(2 * codes.log_scale)
    kl = (codes.mean**2 + variance - 1) / 2 - codes.log_scale
    return -jnp.mean(codes.log_likelihood), jnp.mean(kl.sum(-1))
