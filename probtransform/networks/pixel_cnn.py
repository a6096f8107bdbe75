"""A gated causal convolutional network of images, run whole, or pixel by pixel with what is known kept."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Causal, one_hot
from ..core.check import example, positive
from .bilinear import product
from .gated_convolution import blocks, down, loud, right
from .transformer import dense


def pixel_cnn(
    shape: tuple[int, int, int],
    levels: int,
    outputs: int,
    classes: int = 0,
    width: int = 64,
    depth: int = 4,
    reach: int = 2,
    dropout: float = 0.0,
) -> Causal:
    """Rows `f32[h w c, outputs]` of symbols `i32[h w c]` in `0 .. levels-1`, in raster order, channels last.

    Two stacks of `depth` blocks `x + a sigmoid(b)` with `(a, b) = silu(conv(silu(norm x)) + known) gate`: the
    first goes down, place (i, j) reading rows `i-reach .. i` and columns `j-reach .. j+reach` of features
    that are made of the rows above; the second goes right, reading columns `j-reach .. j` of features made of
    the pixels to the left, and the first stack at (i, j). Together they see every pixel before (i, j) that
    `depth * reach` steps can meet, without a blind spot. Then each channel reads the channels before it.
    `unroll` runs the first stack once a row and the second once a pixel, on features kept from the rows and
    pixels before: about one pass in all. `apply` takes a key too, and then drops features.

    Example: shape `(8, 8, 1)`, 17 levels, 17 outputs maps `i32[64]` to `f32[64, 17]`.
    van den Oord et al. (2016), arXiv:1606.05328; Ramachandran et al. (2017), arXiv:1704.06001 (the cache).
    Raises ValueError if `shape` is not that of an image, or a size is less than one.
    """
    if len(shape) != 3:
        raise ValueError(
            f"pixel_cnn: got the shape {shape}, wanted (height, width, channels); a vector of n symbols is "
            "the image (1, n, 1)"
        )
    h, w, c = shape
    positive("pixel_cnn", height=h, columns=w, channels=c, levels=levels, outputs=outputs)
    positive("pixel_cnn", width=width, depth=depth, reach=reach)

    def init(key):
        keys = jax.random.split(key, 7)
        # a few slow waves of the level, so that at first levels beside one another look alike
        waves = np.cos(np.pi * np.outer(np.arange(levels) + 0.5, np.arange(1, 9)) / levels)
        link = {"link": dense(keys[0], depth, width, width)}
        channels = {"channels": dense(keys[1], c, width, width)} if c > 1 else {}
        return channels | {
            "symbols": jnp.asarray(waves, "float32") @ dense(keys[2], c, 8, width),
            "places": 0.5 * jax.random.normal(keys[3], (h, w, width)),
            "down": blocks(keys[4], depth, (reach + 1) * (2 * reach + 1), width, classes),
            "right": blocks(keys[5], depth, reach + 1, width, classes) | link,
            "head": dense(keys[6], width, width),
            "last": jnp.zeros((c, width, outputs)),
            "bias": jnp.zeros((c, outputs)),
        }

    def labelled(params, cond):
        """Both stacks, and of what each block knows only the label's part."""
        label = one_hot(cond, classes) if classes else jnp.ones(1)
        stacks = params["down"], params["right"]
        return [p | {"known": jnp.einsum("k,dkw->dw", label, p["known"])} for p in stacks]

    def apply(params, symbols, cond=None, key=None):
        example("pixel_cnn", symbols, (h * w * c,), jnp.integer)
        e = params["symbols"][np.arange(c), symbols.reshape(shape)]  # [h, w, c, width]
        pixels = e.sum(2)
        above = jnp.pad(pixels, ((1, 0), (0, 0), (0, 0)))[:-1] + params["places"]
        left = jnp.pad(pixels, ((0, 0), (1, 0), (0, 0)))[:, :-1] + params["places"]

        def block(state, at):
            (v, x), (p, q, keys) = state, at
            first, second = (None, None) if keys is None else keys
            kept = jnp.zeros((reach, w, width)), jnp.zeros((h, reach, width))
            v, _ = down(p, v, kept[0], p["known"], first, dropout)
            x, _ = right(q, x, kept[1], q["known"] + product(loud(v), q["link"]), second, dropout)
            return (v, x), None

        keys = None if key is None else jax.random.split(key, 2 * depth).reshape(depth, 2)
        (_, x), _ = jax.lax.scan(block, (above, left), (*labelled(params, cond), keys))
        known = product(loud(x), params["head"])[:, :, None]
        if c > 1:  # channel k reads the channels l < k
            parts = jnp.einsum("hwcv,cvu->hwcu", e, params["channels"])
            known = known + jnp.einsum("kl,hwlu->hwku", np.tri(c, k=-1, dtype="float32"), parts)
        theta = jnp.einsum("hwcu,cuo->hwco", jax.nn.silu(known), params["last"]) + params["bias"]
        return theta.reshape(h * w * c, outputs)

    def unroll(params, answer, z, cond=None):
        p, q = labelled(params, cond)

        def row(state, at):
            (above, kept), (places, z_row) = state, at

            def block(v, at):
                p, q, kept = at
                v, kept = down(p, v, kept, p["known"])
                return v, (kept, (q["known"] + loud(v) @ q["link"])[0])

            _, (kept, known) = jax.lax.scan(block, (above + places)[None], (p, q, kept))
            first = jnp.zeros(width), jnp.zeros((depth, reach, width))
            along = places, known.swapaxes(0, 1), z_row
            _, (pixels, found) = jax.lax.scan(pixel, first, along)
            return (pixels, kept), found

        def pixel(state, at):
            (left, kept), (place, known, z_pixel) = state, at

            def block(x, at):
                return right(at[0], x, *at[1:])

            x, kept = jax.lax.scan(block, (left + place)[None], (q, kept, known))
            first = (loud(x) @ params["head"])[0], jnp.zeros(width)
            heads = {n: params[n] for n in ("symbols", "last", "bias", "channels") if n in params}
            (_, here), found = jax.lax.scan(channel, first, (heads, z_pixel))
            return (here, kept), (here, found)

        def channel(state, at):
            (known, here), (p, z_i) = state, at
            symbol, extra = answer(jax.nn.silu(known) @ p["last"] + p["bias"], z_i)
            e = p["symbols"][symbol]
            known = known + e @ p["channels"] if c > 1 else known
            return (known, here + e), (symbol, extra)

        first = jnp.zeros((w, width)), jnp.zeros((depth, reach, w, width))
        along = params["places"], z.reshape(h, w, c, *z.shape[1:])
        _, found = jax.lax.scan(row, first, along)
        return jax.tree.map(lambda a: a.reshape(math.prod(shape), *a.shape[3:]), found)

    return Causal(init, apply, unroll)
