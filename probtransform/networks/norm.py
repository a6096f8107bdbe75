"""Group normalisation of one example, by way of its channels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from ..core.check import positive


class GroupNorm(nnx.Module):
    """`f32[*places, channels]` -> the same shape, each group of channels with mean 0 and deviation 1.

    `y = scale * (x - mean_g) / sqrt(var_g + epsilon) + bias`, mean and variance over all places and
    the channels of group g. ONE example: the first axis is a place like the others, where
    `flax.nnx.GroupNorm` would take it for the batch. The variance is the mean of `(x - mean)^2`,
    which does not cancel for data far from zero.

    Wu & He (2018), arXiv:1803.08494. Raises ValueError unless `groups` divides `channels`.
    """

    def __init__(self, channels: int, groups: int, rngs: nnx.Rngs, epsilon: float = 1e-6):
        positive("group norm", channels=channels, groups=groups)
        if channels % groups:
            raise ValueError(
                f"group norm: got {channels} channels in {groups} groups, wanted groups of equal size; "
                "choose a divisor of the channels"
            )
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.groups, self.epsilon = groups, epsilon

    def __call__(self, x):
        away = x - self.mean(x)
        scale = jax.lax.rsqrt(self.mean(away**2) + self.epsilon) * self.scale[...]
        return away * scale + self.bias[...]

    def mean(self, x):
        """The mean of each channel's group: `f32[*places, channels] -> f32[channels]`.

        Channels first, groups second: cutting the last axis of x itself into groups of a few
        channels leaves the compiler loops too short for vector instructions, two to five times slower.
        """
        channels = x.mean(tuple(range(x.ndim - 1)))
        each = channels.reshape(self.groups, -1).mean(-1)
        return jnp.repeat(each, channels.size // self.groups)
