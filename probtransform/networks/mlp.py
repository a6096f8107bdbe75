"""Multilayer perceptrons."""

from __future__ import annotations

from functools import partial

import jax
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .linear import Linear


class MLP(nnx.Module):
    """`f32[inputs] -> f32[outputs]`: `depth` hidden layers of `width`, each added to the last.

    The last layer starts at zero with `quiet`: maps start as the identity, logits as uniform. It has no bias
    if told so: a critic whose logits are only compared with one another does not see it.
    """

    def __init__(self, inputs, outputs, width, depth, quiet: bool, bias: bool, rngs: nnx.Rngs):
        linear = partial(Linear, rngs=rngs)
        self.first = linear(inputs, width)
        self.hidden = nnx.List([linear(width, width) for _ in range(depth - 1)])
        last = nnx.initializers.zeros if quiet else nnx.initializers.lecun_normal()
        self.last = linear(width, outputs, kernel_init=last, use_bias=bias)

    def __call__(self, x):
        h = self.first(x)
        for layer in self.hidden:
            h = h + after_silu(layer)(h)
        return after_silu(self.last)(h)


def after_silu(layer):
    """`layer(silu(h))`, of which only h is kept for the way back: memory is slower than the exponential."""
    return jax.checkpoint(lambda h: layer(jax.nn.silu(h)))


def mlp(
    inputs: int,
    outputs: int,
    width: int = 128,
    depth: int = 2,
    quiet: bool = False,
    bias: bool = True,
) -> Network:
    """A residual multilayer perceptron as a `Network`, `f32[inputs] -> f32[outputs]`.

    Raises ValueError if a size is less than one.
    """
    positive("mlp", inputs=inputs, outputs=outputs, width=width, depth=depth)
    return from_nnx(lambda rngs: MLP(inputs, outputs, width, depth, quiet, bias, rngs))
