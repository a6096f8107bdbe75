"""Activation normalisation: a scale and a shift for each channel, read off data once."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive


def actnorm(shape: tuple[int, ...], bound: float = 5.0) -> Transform[Exact]:
    """`x = z exp(s) + t` with `s = bound tanh(raw / bound)` a channel: the identity at first.

    Channels are the last axis; `log|det| = places * sum s`, `places` the product of the other axes. It
    keeps no statistics: `actnorm_of(batch)` gives parameters from data, a pure function.

    Example: `z, x: f32[h, w, c]`, or `f32[d]`. Kingma & Dhariwal (2018), arXiv:1807.03039.
    """
    positive("actnorm", **{f"axis_{i}": n for i, n in enumerate(shape)})
    places = math.prod(shape[:-1])

    def log_scale(params):
        return bound * jnp.tanh(params["raw"] / bound)

    def joint(params, key, z, cond=None):
        s = log_scale(params)
        return z * jnp.exp(s) + params["shift"], -places * s.sum()

    def forward(params, key, z, cond=None):
        return joint(params, key, z)[0]

    def inverse(params, key, x, cond=None):
        example("actnorm", x, shape)
        s = log_scale(params)
        return (x - params["shift"]) * jnp.exp(-s), -places * s.sum()

    def init(key):
        return {"raw": jnp.zeros(shape[-1]), "shift": jnp.zeros(shape[-1])}

    return Transform(init, forward, Exact(inverse), joint)


def actnorm_of(batch, bound: float = 5.0):
    """Parameters that carry each channel of N(0, I) to the mean and deviation it has in `f32[n, *shape]`.

    The inverse then takes this batch to mean 0 and deviation 1. Deviations beyond `exp(+-0.99 bound)`,
    a constant channel's among them, are held there.
    """
    rows = batch.reshape(-1, batch.shape[-1])
    mean = rows.mean(0)
    variance = ((rows - mean) ** 2).mean(0)
    s = jnp.log(jnp.maximum(variance, math.exp(-2 * bound))) / 2
    return {"raw": bound * jnp.arctanh(jnp.clip(s / bound, -0.99, 0.99)), "shift": mean}
