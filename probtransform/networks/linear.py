"""Linear layers along the last axis, whatever they are mapped over."""

from __future__ import annotations

import math

from flax import nnx

from .bilinear import product

lecun = nnx.initializers.lecun_normal()


def contracted(x, kernel, dimensions, **unused):
    """The last axes of x with the first of the kernel, asked for as of `jax.lax.dot_general`."""
    count = len(dimensions[0][0])
    known, made = x.shape[: x.ndim - count], kernel.shape[count:]
    matrix = kernel.reshape(-1, math.prod(made))
    return product(x.reshape(*known, len(matrix)), matrix).reshape(*known, *made)


class Linear(nnx.Linear):
    """`f32[..., inputs] -> f32[..., outputs]`: `x @ kernel + bias`, with the parameters of `flax.nnx.Linear`.

    However many axes it runs along or is mapped over, the slope of its kernel is one product of matrices.
    """

    def __init__(self, inputs, outputs, rngs: nnx.Rngs, use_bias=True, kernel_init=lecun):
        options = {"use_bias": use_bias, "kernel_init": kernel_init, "dot_general": contracted}
        super().__init__(inputs, outputs, rngs=rngs, **options)
