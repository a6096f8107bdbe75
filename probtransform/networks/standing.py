"""Batch normalisation by standing statistics, found afresh from the parameters alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network
from .linear import Linear

REFERENCES = "references"  # the axis they lie along
EPSILON = 1e-6


class StandingNorm(nnx.Module):
    """`f32[*places, channels]`, e `f32[context]` -> the same shape: `(1 + scale) (x - m) / s + shift`.

    Mean m and variance s^2 of each channel are those that `standing` hands in; scale and shift are linear in
    e, or parameters where `context = 0`. In float32, whatever x is in.
    """

    def __init__(self, channels: int, context: int, rngs: nnx.Rngs):
        self.context = Linear(context, 2 * channels, rngs=rngs) if context else None
        self.fixed: Any = None if context else nnx.Param(jnp.zeros(2 * channels))

    def __call__(self, x, e, statistics):
        y = x.astype(jnp.float32)
        mean, variance = statistics(y)
        y = (y - mean) * jax.lax.rsqrt(variance + EPSILON)
        scale, shift = jnp.split(self.fixed[...] if self.context is None else self.context(e), 2)
        return (y + scale * y + shift).astype(x.dtype)


def standing(network: Network, *references: Any) -> Network:
    """`(*inputs, statistics) -> ...` of `StandingNorm`s as `(*inputs) -> ...` of ONE example.

    Each norm's `m = E x` and `s^2 = E (x - m)^2` are means over all places of all `references`, inputs that
    lie along a first axis and run through the network together: for them it is batch normalisation. Other
    examples are scaled by what the references had, whoever stands beside them, in training as in sampling.
    The usual way keeps running means for later: state that lags behind the weights, is another's once these
    are averaged, and must be gathered again before anything is drawn. Here nothing is kept: whatever
    parameters are handed in, their own statistics come with them, once for a whole batch, and the gradient
    goes through them.

    Example: `standing(generator, f32[64, latent], f32[64, classes])` is `f32[latent], f32[classes] -> image`.
    Ioffe & Szegedy (2015), arXiv:1502.03167; Salimans et al. (2016), arXiv:1606.03498 (references); Brock et
    al. (2018), arXiv:1809.11096 (standing statistics). Raises ValueError for fewer than two references.
    """
    count = len(jax.tree.leaves(references)[0])
    if count < 2:
        raise ValueError(
            f"standing: got {count} references, wanted two at least, of which there is a variance; pass 64"
        )

    def gathered(params, *inputs):
        found: list = []

        def together(x):
            places = tuple(range(x.ndim - 1))
            mean = jax.lax.pmean(x.mean(places), REFERENCES)
            variance = jax.lax.pmean(((x - mean) ** 2).mean(places), REFERENCES)
            found.append((mean, variance))
            return found[-1]

        network.apply(params, *inputs, together)
        return found

    over = (None, *[0] * len(references))
    gather: Callable = jax.vmap(gathered, over, out_axes=None, axis_name=REFERENCES)

    def apply(params, *inputs):
        left = iter(gather(params, *references))  # norms ask in the order in which they were met
        return network.apply(params, *inputs, lambda x: next(left))

    return Network(network.init, apply)
