"""A diffusion transformer: patches that read one another, under the sway of time and label."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Network
from ..core.check import example, positive
from .bilinear import product
from .transformer import dense, norm
from .waves import timed, waves


def dit(
    shape: tuple[int, int, int],
    patch: int,
    width: int = 128,
    depth: int = 4,
    heads: int = 4,
    classes: int = 0,
    registers: int = 0,
    compute: str = "float32",
) -> Network:
    """A transformer over patches as a `Network` on ONE example: `(f32[*shape], t, cond) -> f32[*shape]`.

    A patch of `patch x patch` places is a token, its place told by fixed waves; `depth` blocks are
    `h + g1 attention((1 + a1) norm(h) + b1)`, then `h + g2 mlp((1 + a2) norm(h) + b2)`, the six linear in
    the embedding of t and label and zero at first, as is the last layer: blocks start as the identity,
    the output at zero. Queries and keys are turned by their rows and columns (`angles`).
    `registers` are more tokens, learned, that no output reads: room to keep what is of no one place.
    t is a time in [0, 1] or a log-SNR (`waves`), `cond` a label or `Maybe` of one, unread if `classes`
    is 0. With `compute="bfloat16"` matrix products are in bfloat16; norms, softmax, the sum h over
    the blocks and parameters in float32.

    Peebles & Xie (2023), arXiv:2212.09748; Su et al. (2021), arXiv:2104.09864; Darcet et al. (2023),
    arXiv:2309.16588. Raises ValueError if a size is less than one, `patch` does not divide the sides,
    or `4 heads` not the width.
    """
    positive("dit", patch=patch, width=width, depth=depth, heads=heads)
    rows, columns, channels = shape[0] // patch, shape[1] // patch, shape[2]
    if shape[0] % patch or shape[1] % patch:
        raise ValueError(
            f"dit: got an image of {shape[0]} x {shape[1]} places in patches of side {patch}, wanted "
            "whole patches; choose a divisor of both sides"
        )
    if width % (4 * heads):
        raise ValueError(
            f"dit: got a width of {width} for {heads} heads, wanted heads of a multiple of 4 numbers, "
            f"two each for row and column; choose a width that {4 * heads} divides"
        )
    numbers = patch * patch * channels
    place = np.indices((rows, columns)).reshape(2, -1)

    def init(key):
        first, extra, *keys = jax.random.split(key, 6)
        qkv, out, up, down = keys
        named = {"registers": 0.5 * jax.random.normal(extra, (registers, width))}
        return (named if registers else {}) | {
            "tokens": dense(first, numbers, width),
            "blocks": {
                "modulation": swayed(width, 6, depth),
                "qkv": dense(qkv, depth, width, 3 * width),
                "out": dense(out, depth, width, width),
                "up": dense(up, depth, width, 4 * width),
                "down": dense(down, depth, 4 * width, width),
            },
            "modulation": swayed(width, 2),
            "last": jnp.zeros((width, numbers)),
            "bias": jnp.zeros(numbers),
        }

    def apply(params, x, e):
        example("dit", x, shape)
        # turns tell differences of places alone, so that a token must hear by itself where it is
        code = jnp.concatenate([waves(at, width // 2) for at in place / [[rows], [columns]]], -1)
        turn = jnp.pad(angles(place, width // heads), ((registers, 0), (0, 0)))

        def block(h, p):
            b1, a1, g1, b2, a2, g2 = sway(p["modulation"], e, 6)
            qkv = product(modulated(h, b1, a1), p["qkv"]).reshape(len(h), 3, heads, -1)
            q, k = turned(qkv[:, 0], turn), turned(qkv[:, 1], turn)
            # its softmax is in float32 for bfloat16 too
            read = jax.nn.dot_product_attention(q, k, qkv[:, 2]).reshape(h.shape)
            h = h + g1 * product(read, p["out"])
            return h + g2 * product(
                jax.nn.gelu(product(modulated(h, b2, a2), p["up"])), p["down"]
            ), None

        h = product(patches(x, patch), params["tokens"]) + code
        if registers:
            h = jnp.concatenate([params["registers"], h])
        h, _ = jax.lax.scan(block, h, params["blocks"])
        shown = modulated(h[registers:], *sway(params["modulation"], e, 2))
        return unpatched(product(shown, params["last"]) + params["bias"], patch, shape)

    return timed("dit", Network(init, apply), width, classes, compute)


def swayed(width: int, count: int, *stack: int):
    """Zeros that make `count` vectors of `width` from an embedding as wide."""
    return {
        "kernel": jnp.zeros((*stack, width, count * width)),
        "bias": jnp.zeros((*stack, count * width)),
    }


def sway(p, e, count: int):
    """The `count` vectors that the embedding gives."""
    return jnp.split(e @ p["kernel"] + p["bias"], count)


def modulated(h, shift, scale):
    """`(1 + scale) norm(h) + shift`, in float32, then in the format of the scale."""
    h = norm(h)
    return (h + scale * h + shift).astype(scale.dtype)


def angles(place, d: int):
    """`[2, n] -> f32[n, d / 2]`, by how much each pair of d numbers is turned: by row, then by column.

    Frequencies fall from 1 towards 1/100 radians a place, as an image has tens of places a side.
    """
    frequencies = 100.0 ** -(np.arange(d // 4) / (d // 4))
    return jnp.asarray(np.concatenate([at[:, None] * frequencies for at in place], -1), jnp.float32)


def turned(x, angles):
    """`[n, heads, d]` with `x[i] + sqrt(-1) x[i + d/2]` times `exp(sqrt(-1) angles[i])`, `f32[n, d / 2]`.

    The product of two such vectors depends on the difference of their angles alone.
    """
    real, imaginary = jnp.split(x, 2, -1)
    cos, sin = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    pairs = [real * cos - imaginary * sin, real * sin + imaginary * cos]
    return jnp.concatenate(pairs, -1).astype(x.dtype)


def patches(x, side: int):
    """`f32[h, w, c] -> f32[n, side side c]`, row by row, the numbers of a patch likewise."""
    h, w, c = x.shape
    cut = x.reshape(h // side, side, w // side, side, c)
    return cut.swapaxes(1, 2).reshape(-1, side * side * c)


def unpatched(tokens, side: int, shape: tuple[int, int, int]):
    """The image of these patches."""
    h, w, c = shape
    return tokens.reshape(h // side, w // side, side, side, c).swapaxes(1, 2).reshape(shape)
