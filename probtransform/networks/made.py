"""MADE: a masked perceptron whose i-th output sees only the inputs before i."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..core import Network, from_nnx, one_hot
from ..core.check import positive
from .bilinear import product
from .causal import degrees_of
from .linear import Linear


class Masked(nnx.Module):
    """A linear map between units that carry a degree, as `read` and `write` list them.

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
        return product(x, self.kernel[...] * self.mask()) + self.bias[...]


class MADE(nnx.Module):
    """Numbers `f32[size]`, condition `f32[context]` -> `f32[size, outputs]`, row i from the numbers before i.

    A key drops hidden units with probability `dropout` and scales up the others.
    """

    def __init__(self, size, outputs, context, width, depth, dropout, rngs: nnx.Rngs):
        inputs = np.arange(size)
        hidden = degrees_of("made", size, width)
        written = np.repeat(inputs, outputs)
        self.first = Masked(inputs, hidden, False, rngs)
        self.hidden = nnx.List([Masked(hidden, hidden, False, rngs) for _ in range(depth - 1)])
        self.last = Masked(hidden, written, True, rngs, quiet=True)
        # the condition is known before the first symbol: every unit may read it
        linear = partial(Linear, context, use_bias=False, rngs=rngs)
        self.context = linear(width) if context else None
        zeros = nnx.initializers.zeros
        self.direct = linear(len(written), kernel_init=zeros) if context else None
        self.size, self.dropout = size, dropout

    def __call__(self, x, context, key=None):
        h = self.first(x)
        if self.context is not None:
            h = h + self.context(context)
        for i, layer in enumerate(self.hidden):
            h = h + layer(self.dropped(jax.nn.silu(h), key, i))
        out = self.last(self.dropped(jax.nn.silu(h), key, len(self.hidden)))
        if self.direct is not None:
            out = out + self.direct(context)
        return out.reshape(self.size, -1)

    def dropped(self, h, key, layer):
        if key is None:
            return h
        kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - self.dropout, h.shape)
        return h * kept / (1 - self.dropout)


def made(
    size: int,
    levels: int,
    classes: int = 0,
    width: int = 512,
    depth: int = 2,
    waves: int = 8,
    dropout: float = 0.5,
) -> Network:
    """Logits of every symbol given those before it: `(i32[size], label, key=None) -> f32[size, levels]`.

    Levels are ordered numbers, and neighbours are alike: the logits of symbol i are a free vector
    `b_i` plus a cosine series `sum_{k=1}^waves a_ik cos(pi k (level + 1/2) / levels)` whose coefficients
    the network gives, so that what is learned of a level holds for those beside it. With `levels - 1`
    waves any logits can be made. With a key hidden units are dropped; without, the mean network answers.

    Germain et al. (2015), arXiv:1502.03509. Raises ValueError if a size is less than one, or `width`
    less than `size - 1`.
    """
    positive("made", size=size, levels=levels, width=width, depth=depth, waves=waves)
    waves = min(waves, max(1, levels - 1))
    angles = np.pi * (np.arange(levels) + 0.5) / levels
    series = np.cos(np.arange(1, waves + 1)[:, None] * angles).astype(np.float32)
    body = from_nnx(lambda rngs: MADE(size, waves, classes, width, depth, dropout, rngs))

    def init(key):
        return {"body": body.init(key), "bias": jnp.zeros((size, levels))}

    def apply(params, symbols, cond=None, key=None):
        x = 2 * symbols / max(1, levels - 1) - 1
        return body.apply(params["body"], x, one_hot(cond, classes), key) @ series + params["bias"]

    return Network(init, apply)
