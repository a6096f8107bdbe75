"""How a critic reads a label: by a product of features and the label's own vector."""

from __future__ import annotations

import jax
from flax import nnx

from .linear import Linear


class Projection(nnx.Module):
    """Features `phi: f32[k]`, label `y: f32[classes]` -> a logit: `v' phi + b + y' E phi`.

    y is one-hot, or zeros where there is no label; `E: f32[classes, k]`. With `bias=False` there is no b:
    a game of differences of logits does not see it.

    Miyato & Koyama (2018), arXiv:1802.05637.
    """

    def __init__(self, features: int, classes: int, rngs: nnx.Rngs, bias: bool = True):
        self.linear = Linear(features, 1, use_bias=bias, rngs=rngs)
        draws = jax.random.normal(rngs.params(), (classes, features)) * features**-0.5
        self.embedding = nnx.Param(draws) if classes else None

    def __call__(self, phi, y):
        logit = self.linear(phi)[0]
        return logit if self.embedding is None else logit + y @ (self.embedding[...] @ phi)
