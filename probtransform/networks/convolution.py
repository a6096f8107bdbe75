"""Convolutions of one image: whole, doubling or halving."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from ..core.check import positive
from .bilinear import convolve, middle, product

lecun = nnx.initializers.lecun_normal()


class Conv(nnx.Module):
    """`f32[h, w, inputs] -> f32[h, w, outputs]`: a convolution of odd `size`, padded with zeros.

    `y[i, j] = bias + sum_ab x[i + a, j + b] kernel[a, b]`, in `groups` each of its own channels. Kernel and
    bias are those of `flax.nnx.Conv`.
    Raises ValueError unless `groups` divides inputs and outputs and the size is odd.
    """

    def __init__(self, inputs, outputs, rngs: nnx.Rngs, size=3, groups=1, init=lecun):
        positive("convolution", inputs=inputs, outputs=outputs, size=size, groups=groups)
        if inputs % groups or outputs % groups:
            raise ValueError(
                f"convolution: got {groups} groups for {inputs} and {outputs} channels, wanted groups of "
                "equal size; choose a divisor of both"
            )
        middle(size, size)
        self.kernel = nnx.Param(init(rngs.params(), (size, size, inputs // groups, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.groups = groups

    def __call__(self, x):
        return convolved(x, self.kernel[...], self.groups) + self.bias[...]


class Halving(nnx.Module):
    """`f32[h, w, inputs] -> f32[h / 2, w / 2, outputs]`: a convolution 4 x 4, stride 2, padded with a zero.

    `y[i, j] = bias + sum_ab x[2 i - 1 + a, 2 j - 1 + b] kernel[a, b]`; h and w even.
    """

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(lecun(rngs.params(), (4, 4, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x):
        x = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
        h, w = x.shape[0] - 2, x.shape[1] - 2
        seen = [x[a : a + h : 2, b : b + w : 2] for a in range(4) for b in range(4)]
        kernel = self.kernel[...].reshape(-1, self.bias.shape[0])
        return product(jnp.concatenate(seen, -1), kernel) + self.bias[...]


class Doubling(nnx.Module):
    """`f32[h, w, inputs] -> f32[2 h, 2 w, outputs]`: the transpose of a convolution 4 x 4 of stride 2.

    Each output sees the four nearest inputs, through one of four kernels 2 x 2, by the parity of its place:
    `y[2 i + a, 2 j + b] = bias + sum_pq x[i - 1 + a + p, j - 1 + b + q] kernel[2 a + b, p, q]`.
    """

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        kernels = [lecun(rngs.params(), (2, 2, inputs, outputs)) for _ in range(4)]
        self.kernel = nnx.Param(jnp.stack(kernels))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x):
        h, w, _ = x.shape
        outputs = self.bias.shape[0]
        x = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))

        def of_parity(a, b):
            seen = [x[a + p : a + p + h, b + q : b + q + w] for p in range(2) for q in range(2)]
            return product(jnp.concatenate(seen, -1), self.kernel[2 * a + b].reshape(-1, outputs))

        parts = jnp.stack([jnp.stack([of_parity(a, b) for b in range(2)]) for a in range(2)])
        whole = parts.transpose(2, 0, 3, 1, 4).reshape(2 * h, 2 * w, outputs)
        return whole + self.bias[...]


def convolved(x, kernel, groups: int = 1):
    """`x: f32[h, w, inputs]` with `kernel: f32[size, size, inputs / groups, outputs]`, padded with zeros."""
    if groups == 1:
        return convolve(x[None], kernel)[0]
    pairs = zip(jnp.split(x, groups, -1), jnp.split(kernel, groups, -1), strict=True)
    return jnp.concatenate([convolved(*pair) for pair in pairs], -1)


def resized(x, side: tuple[int, int]):
    """`f32[h, w, c] -> f32[*side, c]`, bilinear; smaller through the triangle filter of that scale."""
    return jax.image.resize(x, (*side, x.shape[-1]), "linear")
