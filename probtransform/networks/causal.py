"""A masked perceptron whose i-th output sees only the inputs before i, run whole or input by input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Causal
from ..core.check import positive
from .bilinear import product
from .unroll import one_by_one


def causal(
    size: int,
    outputs: int,
    context: int = 0,
    width: int = 128,
    depth: int = 2,
    activation: Callable[[Any], Any] = jax.nn.relu,
) -> Causal:
    """MADE with hidden units sorted by degree; its last layer starts at zero.

    Input i has degree i; a hidden unit of degree m reads what has degree <= m, output i reads hidden units
    of degree < i, and all of them read the condition `f32[context]`. Units of one degree lie side by side,
    so that `unroll` meets each unit once, when its degree comes: one pass in all, not `size` of them.

    Example: `causal(3, 2).apply(params, x)` is `f32[3, 2]` for `x: f32[3]`.
    Germain et al. (2015), arXiv:1502.03509. Raises ValueError if a size is less than one, or if `width` is
    less than `size - 1`: with no unit of some degree, an output would miss the input of that degree.
    """
    positive("causal", size=size, outputs=outputs, width=width, depth=depth)
    inputs, hidden = np.arange(size), degrees_of("causal", size, width)
    degrees = [inputs] + [hidden] * depth
    masks = [a[:, None] <= b for a, b in pairwise(degrees)]
    masks.append(np.repeat(hidden[:, None] < inputs, outputs, 1))
    widths = [width] * depth + [size * outputs]

    def init(key):
        keys = jax.random.split(key, 2 * depth)
        # a unit that reads n numbers weighs each by 2 / n in square, He et al. (2015)
        scales = [np.sqrt(2 / mask.sum(0).clip(1)) for mask in masks[:-1]] + [0.0]
        kernel = [
            scale * jax.random.normal(k, mask.shape)
            for k, scale, mask in zip([*keys[:depth], key], scales, masks, strict=True)
        ]
        params = {"kernel": kernel, "bias": [jnp.zeros(n) for n in widths]}
        if not context:
            return params
        free = [jax.random.normal(k, (context, width)) / context**0.5 for k in keys[depth:]]
        return params | {"context": [*free, jnp.zeros((context, widths[-1]))]}

    def weights(params, cond):
        """Masked kernels, and the part of each sum that is known before the first input."""
        kernels = [w * mask for w, mask in zip(params["kernel"], masks, strict=True)]
        if not context:
            return kernels, params["bias"]
        return kernels, [
            b + cond @ w for b, w in zip(params["bias"], params["context"], strict=True)
        ]

    def apply(params, x, cond=None):
        kernels, known = weights(params, cond)
        for kernel, bias in zip(kernels[:-1], known[:-1], strict=True):
            x = activation(product(x, kernel) + bias)
        return (product(x, kernels[-1]) + known[-1]).reshape(size, outputs)

    def unroll(params, answer, z, cond=None):
        return one_by_one(answer, degrees, outputs, activation)(*weights(params, cond), z)

    return Causal(init, apply, unroll)


def degrees_of(who: str, size: int, width: int) -> np.ndarray:
    """Of `width` hidden units the degrees, sorted: each of `0 .. size - 2` alike, up to one unit.

    Raises ValueError if some degree would have no unit: what the input of that degree says were lost.
    """
    if width < size - 1:
        raise ValueError(
            f"{who}: got width={width} for {size} entries, wanted at least {size - 1}, a unit a degree; pass "
            "a larger width"
        )
    return np.sort(np.arange(width) % max(1, size - 1))
