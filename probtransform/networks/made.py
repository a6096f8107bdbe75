"""MADE: a masked perceptron whose i-th output sees only the inputs before i."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..core import Network, from_nnx, one_hot
from ..core.check import positive


class Masked(nnx.Module):
    """A linear map `f32[groups_in * a] -> f32[groups_out * b]` between units that carry a degree.

    A unit of degree j is read by units of degree >= j (`strict`: > j), so that chains of such
    layers never look ahead.
    """

    def __init__(
        self, read: np.ndarray, write: np.ndarray, strict: bool, rngs: nnx.Rngs, quiet=False
    ):
        self.read, self.write, self.strict = tuple(read), tuple(write), strict
        fan_in = max(1.0, self.mask().sum(0).mean())
        scale = 0.0 if quiet else fan_in**-0.5
        normal = jax.random.normal(rngs.params(), (len(read), len(write)))
        self.kernel = nnx.Param(scale * normal)
        self.bias = nnx.Param(jnp.zeros(len(write)))

    def mask(self) -> np.ndarray:
        read, write = np.asarray(self.read)[:, None], np.asarray(self.write)
        return (read < write if self.strict else read <= write).astype(np.float32)

    def __call__(self, x):
        return x @ (self.kernel[...] * self.mask()) + self.bias[...]


class MADE(nnx.Module):
    """Symbols `f32[size * features]`, condition `f32[context]` -> `f32[size, outputs]`, strictly causal."""

    def __init__(self, size, features, outputs, context, width, depth, rngs: nnx.Rngs):
        inputs = np.repeat(np.arange(size), features)
        hidden = np.sort(np.arange(width) % max(1, size - 1))
        logits = np.repeat(np.arange(size), outputs)
        self.first = Masked(inputs, hidden, False, rngs)
        self.hidden = nnx.List([Masked(hidden, hidden, False, rngs) for _ in range(depth - 1)])
        self.last = Masked(hidden, logits, True, rngs, quiet=True)
        self.skip = Masked(inputs, logits, True, rngs, quiet=True)
        # the condition is known before the first symbol: every unit may read it
        self.context = nnx.Linear(max(1, context), width, use_bias=False, rngs=rngs)
        zeros = nnx.initializers.zeros
        self.direct = nnx.Linear(
            max(1, context), size * outputs, use_bias=False, kernel_init=zeros, rngs=rngs
        )
        self.size = size

    def __call__(self, x, context):
        context = context if context.size else jnp.zeros((1,))
        h = self.first(x) + self.context(context)
        for layer in self.hidden:
            h = h + layer(jax.nn.silu(h))
        return (self.last(jax.nn.silu(h)) + self.skip(x) + self.direct(context)).reshape(
            self.size, -1
        )


def made(size: int, levels: int, classes: int = 0, width: int = 512, depth: int = 2) -> Network:
    """Logits of every symbol given those before it: `(i32[size], label) -> f32[size, levels]`.

    Germain et al. (2015), arXiv:1502.03509. Raises ValueError if a size is less than one.
    """
    positive("made", size=size, levels=levels, width=width, depth=depth)

    def features(symbols, cond):
        known = jax.nn.one_hot(symbols, levels)
        return known.reshape(-1), one_hot(cond, classes)

    body = from_nnx(lambda rngs: MADE(size, levels, levels, classes, width, depth, rngs))
    return Network(body.init, lambda params, *inputs: body.apply(params, *features(*inputs)))
