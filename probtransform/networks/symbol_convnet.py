"""What all symbols of an image are, from what they are in noise: a convolutional network."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Network, one_hot
from ..core.check import positive
from .bilinear import product
from .transformer import dense, norm
from .waves import waves

TIMES = 8  # numbers that tell the time


def symbol_convnet(
    shape: tuple[int, int, int],
    levels: int,
    states: int,
    classes: int = 0,
    width: int = 32,
    depth: int = 6,
) -> Network:
    """`(i32[h w c], t, label) -> f32[h w c, levels]`, logits of every symbol from states `0 .. states-1`.

    A pixel is the sum of its symbols' vectors and that of its place; then come `depth` blocks
    `h + silu(conv(norm h) + known) mix`, convolutions 3 x 3, `known` linear in waves of the time and the
    label, and `silu(norm(h) head) last`, zero at first. Symbols are in raster order, channels last.

    Example: shape `(8, 8, 1)`, 17 levels, 18 states, the last of them a mask.
    Raises ValueError if a size is less than one, or there are fewer states than levels.
    """
    height, columns, c = shape
    positive("symbol_convnet", height=height, columns=columns, channels=c, levels=levels)
    positive("symbol_convnet", width=width, depth=depth)
    if states < levels:
        raise ValueError(
            f"symbol_convnet: got {states} states, wanted the {levels} levels at least; add some"
        )

    def init(key):
        keys = jax.random.split(key, 7)
        # a few slow waves of the level, so that at first levels beside one another look alike
        slow = np.cos(np.pi * np.outer(np.arange(levels) + 0.5, np.arange(1, 9)) / levels)
        table = jnp.asarray(slow, "float32") @ dense(keys[0], c, 8, width)
        others = 0.5 * jax.random.normal(keys[1], (c, states - levels, width))
        return {
            "symbols": jnp.concatenate([table, others], 1),
            "places": 0.5 * jax.random.normal(keys[2], (height, columns, width)),
            "blocks": {
                "conv": dense(keys[3], depth, 9 * width, width),
                "known": dense(keys[4], depth, TIMES + classes, width),
                "mix": dense(keys[5], depth, width, width, scale=depth**-0.5),
            },
            "head": dense(keys[6], width, width),
            "last": jnp.zeros((width, c * levels)),
            "bias": jnp.zeros((height, columns, c * levels)),
        }

    def apply(params, x, t, cond=None):
        seen = jax.nn.one_hot(x.reshape(shape), states)
        h = jnp.einsum("hwcs,csv->hwv", seen, params["symbols"]) + params["places"]
        known = jnp.concatenate([waves(t, TIMES), one_hot(cond, classes)])

        def block(h, p):
            y = product(around(norm(h)), p["conv"]) + known @ p["known"]
            return h + product(jax.nn.silu(y), p["mix"]), None

        h, _ = jax.lax.scan(block, h, params["blocks"])
        logits = (
            product(jax.nn.silu(product(norm(h), params["head"])), params["last"]) + params["bias"]
        )
        return logits.reshape(x.size, levels)

    return Network(init, apply)


def around(x):
    """The 3 x 3 square around every place side by side: `f32[h, w, c] -> f32[h, w, 9 c]`, zeros outside.

    In a loop over layers a product with this is faster than a convolution on a CPU.
    """
    h, w, _ = x.shape
    padded = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
    return jnp.concatenate([padded[i : i + h, j : j + w] for i in range(3) for j in range(3)], -1)
