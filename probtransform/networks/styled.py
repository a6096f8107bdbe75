"""Layers that are told a style: its scales on the weights, or on what was normalised."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import nnx

from .convolution import convolved
from .equalised import Convolved, Equalised, leaky

TINY = 1e-8


class Modulated(nnx.Module):
    """`f32[h, w, inputs]`, style `s: f32[inputs]` -> `f32[h, w, outputs]`: a convolution, its weights scaled.

    Weights are `k_abio s_i`, over their norm `sqrt(sum_abi (k_abio s_i)^2 + 1e-8)` if it `demodulates`.
    Neither depends on the place: inputs are scaled by s, outputs by the norm, and no example has weights of
    its own.

    Karras et al. (2019), arXiv:1912.04958.
    """

    def __init__(self, inputs, outputs, size, rngs: nnx.Rngs, demodulates: bool = True):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (size, size, inputs, outputs)))
        self.demodulates = demodulates

    def __call__(self, x, s):
        kernel = self.kernel[...] * math.prod(self.kernel.shape[:3]) ** -0.5
        y = convolved(x * s, kernel)
        if not self.demodulates:
            return y
        return y * jax.lax.rsqrt(s**2 @ (kernel**2).sum((0, 1)) + TINY)


class Styled(nnx.Module):
    """`f32[h, w, inputs]`, `w: f32[k]`, noise `f32[h, w]` -> `f32[h, w, outputs]`.

    A modulated convolution by a style linear in w, noise of a learned strength, the same for all channels, a
    bias and a leaky rectifier.
    """

    def __init__(self, inputs, outputs, styles, size, rngs: nnx.Rngs):
        self.style = Equalised(styles, inputs, rngs, bias=1.0)
        self.conv = Modulated(inputs, outputs, size, rngs)
        self.strength = nnx.Param(jnp.zeros(()))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x, w, noise):
        y = self.conv(x, self.style(w)) + self.strength[...] * noise[..., None]
        return leaky(y + self.bias[...])


class AdaIN(nnx.Module):
    """`f32[h, w, inputs]`, `w: f32[k]`, noise `f32[h, w]` -> `f32[h, w, outputs]`, as `Styled`.

    A convolution, noise, a bias and a leaky rectifier; then each channel of the example is brought to mean 0
    and variance 1 over its places, and the style gives it another scale and mean: `y_c (x - m) / s + y_b`.
    An image of one place has nothing to normalise.

    Huang & Belongie (2017), arXiv:1703.06868; Karras et al. (2018), arXiv:1812.04948.
    """

    def __init__(self, inputs, outputs, styles, size, rngs: nnx.Rngs):
        self.conv = Convolved(inputs, outputs, size, rngs)
        self.scale = Equalised(styles, outputs, rngs, bias=1.0)
        self.mean = Equalised(styles, outputs, rngs)
        self.strength = nnx.Param(jnp.zeros(()))

    def __call__(self, x, w, noise):
        x = leaky(self.conv(x) + self.strength[...] * noise[..., None])
        return self.scale(w) * instance_norm(x) + self.mean(w)


def instance_norm(x):
    """Every channel of `f32[h, w, c]` at mean 0 and variance 1 over its places."""
    x = x - x.mean((0, 1))
    return x * jax.lax.rsqrt((x**2).mean((0, 1)) + TINY)
