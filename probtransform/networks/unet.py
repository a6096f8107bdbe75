"""A U-Net: an image is read at several scales, and what each saw on the way down helps on the way up."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .conv import zeros
from .convolution import Conv
from .linear import Linear
from .norm import GroupNorm
from .waves import timed


class AdaptiveNorm(GroupNorm):
    """`f32[*places, channels]`, e `f32[context]` -> the same shape: `(1 + scale) groupnorm(x) + shift`.

    Scale and shift are linear in e; `context = 0` is a norm without. In float32, whatever x is in.

    Dhariwal & Nichol (2021), arXiv:2105.05233.
    """

    def __init__(self, channels: int, groups: int, context: int, rngs: nnx.Rngs):
        super().__init__(channels, groups, rngs)
        self.context = Linear(context, 2 * channels, rngs=rngs) if context else None

    def __call__(self, x, e=None):
        y = super().__call__(x.astype(jnp.float32))
        if self.context is not None:
            scale, shift = jnp.split(self.context(e), 2)
            y = y + scale * y + shift  # 1 + scale would be rounded in the format of the scale
        return y.astype(x.dtype)


class Attention(nnx.Module):
    """`f32[h, w, width]` -> the same shape: `x + out(attention(norm(x)))` over all places, at first x."""

    def __init__(self, width: int, groups: int, heads: int, rngs: nnx.Rngs):
        if width % heads:
            raise ValueError(
                f"unet: got a width of {width} for {heads} heads, wanted heads of equal size; "
                "choose a divisor of the width at every scale that attends"
            )
        self.norm = AdaptiveNorm(width, groups, 0, rngs)
        self.qkv = Linear(width, 3 * width, rngs=rngs)
        self.out = Linear(width, width, kernel_init=zeros, rngs=rngs)
        self.heads = heads

    def __call__(self, x):
        h, w, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(h * w, 3, self.heads, width // self.heads)
        # its softmax is in float32 for bfloat16 too
        read = jax.nn.dot_product_attention(qkv[:, 0], qkv[:, 1], qkv[:, 2])
        return x + self.out(read.reshape(x.shape))


class Block(nnx.Module):
    """`f32[h, w, inputs]`, e `f32[context]` -> `f32[h, w, outputs]`; at first the shortcut alone.

    `shortcut(x) + conv(silu(adaptive(conv(silu(norm(x))), e)))`, convolutions 3 x 3 and the shortcut
    linear in the channels if their number changes; then attention, unless `heads` is 0.
    """

    def __init__(self, inputs, outputs, context, groups, heads, rngs: nnx.Rngs):
        self.norm1 = AdaptiveNorm(inputs, groups, 0, rngs)
        self.conv1 = Conv(inputs, outputs, rngs)
        self.norm2 = AdaptiveNorm(outputs, groups, context, rngs)
        self.conv2 = Conv(outputs, outputs, rngs, init=zeros)
        self.shortcut = Linear(inputs, outputs, rngs=rngs) if inputs != outputs else None
        self.attention = Attention(outputs, groups, heads, rngs) if heads else None

    def __call__(self, x, e):
        h = self.conv1(jax.nn.silu(self.norm1(x)))
        h = self.conv2(jax.nn.silu(self.norm2(h, e)))
        h = h + (x if self.shortcut is None else self.shortcut(x))
        return h if self.attention is None else self.attention(h)


class Stage(nnx.Module):
    """One scale and all coarser ones: `depth` blocks down, the next stage at half size, as many up.

    Each block up also reads what its mirror image on the way down gave. The coarsest stage has two
    blocks in place of a next one. `scales` lists (width, heads) from here on.
    """

    def __init__(self, scales, depth, context, groups, rngs: nnx.Rngs):
        (width, heads), *coarser = scales

        def block(inputs: int, heads: int = heads):
            return Block(inputs, width, context, groups, heads, rngs)

        self.down = nnx.List([block(width) for _ in range(depth)])
        if coarser:
            self.shrink = Conv(width, coarser[0][0], rngs)
            self.next = Stage(coarser, depth, context, groups, rngs)
            self.grow = Conv(coarser[0][0], width, rngs)
        else:
            self.middle = nnx.List([block(width), block(width, heads=0)])
        self.up = nnx.List([block(2 * width) for _ in range(depth)])
        self.coarsest = not coarser

    def __call__(self, x, e):
        seen = []
        for block in self.down:
            x = block(x, e)
            seen.append(x)
        if self.coarsest:
            for block in self.middle:
                x = block(x, e)
        else:
            x = self.grow(doubled(self.next(self.shrink(halved(x)), e)))
        for block in self.up:
            x = block(jnp.concatenate([x, seen.pop()], -1), e)
        return x


class UNet(nnx.Module):
    """`f32[h, w, inputs]`, e `f32[4 width]` -> `f32[h, w, outputs]`, zero at first."""

    def __init__(self, inputs, outputs, scales, depth, groups, rngs: nnx.Rngs):
        width = scales[0][0]
        self.first = Conv(inputs, width, rngs)
        self.stage = Stage(scales, depth, 4 * width, groups, rngs)
        self.norm = AdaptiveNorm(width, groups, 0, rngs)
        self.last = Conv(width, outputs, rngs, init=zeros)
        self.inputs, self.parts = inputs, 2 ** (len(scales) - 1)

    def __call__(self, x, e):
        if x.ndim != 3 or x.shape[-1] != self.inputs:
            raise ValueError(
                f"unet: got an example of shape {x.shape}, wanted (height, width, {self.inputs}); "
                "map over a batch with jax.vmap, or reshape it"
            )
        if x.shape[0] % self.parts or x.shape[1] % self.parts:
            raise ValueError(
                f"unet: got an image of {x.shape[0]} x {x.shape[1]} places, wanted multiples of "
                f"{self.parts}, each scale having half the sides of the last; pass fewer multiples, or pad"
            )
        return self.last(jax.nn.silu(self.norm(self.stage(self.first(x), e))))


def halved(x):
    """`f32[h, w, c] -> f32[h / 2, w / 2, c]`: the mean of every square of four."""
    h, w, c = x.shape
    return x.reshape(h // 2, 2, w // 2, 2, c).mean((1, 3))


def doubled(x):
    """`f32[h, w, c] -> f32[2 h, 2 w, c]`: every place as a square of four."""
    return x.repeat(2, 0).repeat(2, 1)


def unet(
    inputs: int,
    outputs: int,
    width: int = 32,
    multiples: tuple[int, ...] = (1, 2, 2),
    depth: int = 2,
    attention: tuple[int, ...] = (-1,),
    heads: int = 4,
    classes: int = 0,
    groups: int = 8,
    compute: str = "float32",
) -> Network:
    """A U-Net as a `Network` on ONE example: `(f32[h, w, inputs], t, cond) -> f32[h, w, outputs]`.

    Scale i has `multiples[i] * width` channels on `h / 2^i x w / 2^i` places, `depth` blocks on the way
    down and as many on the way up. `attention` names the scales that attend, counted as in a tuple: 0
    is the finest, -1 the coarsest. t is a time in [0, 1] or a log-SNR (`waves`), `cond` a label or
    `Maybe` of one, unread if `classes` is 0. The output starts at zero. With `compute="bfloat16"`
    convolutions and products are in bfloat16, norms, softmax and parameters in float32.

    Ronneberger et al. (2015), arXiv:1505.04597; Ho et al. (2020), arXiv:2006.11239; Dhariwal & Nichol
    (2021), arXiv:2105.05233. Raises ValueError if a size is less than one, `groups` or `heads` does
    not divide the channels, `attention` names a scale that is not there, or, when applied, a side
    cannot be halved `len(multiples) - 1` times.
    """
    positive("unet", inputs=inputs, outputs=outputs, width=width, depth=depth, heads=heads)
    positive("unet", multiples=min(multiples, default=0), groups=groups)
    count = len(multiples)
    if wrong := [i for i in attention if not -count <= i < count]:
        raise ValueError(
            f"unet: got attention at scale {wrong[0]} of {count}, wanted {-count}..{count - 1}; "
            "name another, or () for none"
        )
    attending = {i % count for i in attention}
    scales = [(m * width, heads if i in attending else 0) for i, m in enumerate(multiples)]
    body = from_nnx(lambda rngs: UNet(inputs, outputs, scales, depth, groups, rngs))
    return timed("unet", body, 4 * scales[0][0], classes, compute)
