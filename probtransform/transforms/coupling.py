"""Coupling: half of a vector moves the other half, so that both directions cost one pass."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.check import example


def coupling(network: Network, mask, bound: float = 2.0) -> Transform[Exact]:
    """Affine coupling: entries where `mask` is 1 stay, the others become `z * exp(s) + t`.

    `network.apply(params, z * mask, cond)` gives `2d` numbers, raw log-scales and shifts;
    `s = bound * tanh(raw / bound)`, so that no scale leaves `exp(+-bound)`. With a network whose last
    layer starts at zero the map starts as the identity. `log|det| = sum(s)`.

    Example: `z, x: f32[d]`, `mask: f32[d]` of zeros and ones. Dinh et al. (2017), arXiv:1605.08803.
    """
    mask = jnp.asarray(mask, jnp.float32)

    def scale_and_shift(params, kept, cond):
        raw, shift = jnp.split(network.apply(params, kept * mask, cond), 2)
        return bound * jnp.tanh(raw / bound) * (1 - mask), shift * (1 - mask)

    def joint(params, key, z, cond=None):
        s, t = scale_and_shift(params, z, cond)
        return z * jnp.exp(s) + t, -s.sum()

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    def inverse(params, key, x, cond=None):
        example("coupling", x, mask.shape)
        s, t = scale_and_shift(params, x, cond)
        return (x - t) * jnp.exp(-s), -s.sum()

    return Transform(network.init, forward, Exact(inverse), joint)
