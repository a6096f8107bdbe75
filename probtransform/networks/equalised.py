"""Layers whose weights are normal, and scaled when used: all learn at one rate."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import nnx

from .bilinear import product
from .convolution import convolved


class Equalised(nnx.Module):
    """`f32[..., inputs] -> f32[..., outputs]`: linear, weights normal and scaled when used, not when drawn.

    `y = x W pace / sqrt(inputs) + b pace`, W of deviation `1 / pace` at first and `b pace` equal to `bias`:
    all layers learn at one rate, times `pace`. Karras et al. (2017), arXiv:1710.10196.
    """

    def __init__(self, inputs, outputs, rngs: nnx.Rngs, bias: float = 0.0, pace: float = 1.0):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (inputs, outputs)) / pace)
        self.bias = nnx.Param(jnp.full(outputs, bias / pace))
        self.pace = pace

    def __call__(self, x):
        scale = self.pace * self.kernel.shape[0] ** -0.5
        return product(x, self.kernel[...] * scale) + self.bias[...] * self.pace


class Convolved(nnx.Module):
    """`f32[h, w, inputs] -> f32[h, w, outputs]`: a convolution whose weights are scaled when used."""

    def __init__(self, inputs, outputs, size, rngs: nnx.Rngs):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (size, size, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x):
        scale = math.prod(self.kernel.shape[:3]) ** -0.5
        return convolved(x, self.kernel[...] * scale) + self.bias[...]


def leaky(x):
    """Of slope 0.2 below zero, and scaled so that it keeps the mean square of normal numbers, nearly."""
    return math.sqrt(2) * jax.nn.leaky_relu(x, 0.2)
