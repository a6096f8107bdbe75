"""Images at several scales, all latents of which are kept: what the flows of images share."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..networks.local_convnet import local_convnet
from ..transforms import invert, reshape, split, squeeze
from ..transforms.compose import compose
from .normalizing_flow import bent

Shape = tuple[int, int, int]
Layer = Callable[[Shape], Transform[Exact]]  # of images of this shape, onto themselves


def multiscale(
    shape: Shape, scales: int, squeezed: Layer, whole: Layer | None = None
) -> Transform[Exact]:
    """`f32[h w c] -> f32[h, w, c]`, the coarsest scale first.

    At each scale the image is squeezed, half of its channels are what the coarser scales make of their
    latents, `squeezed` moves all of them, and after the way back to the full size `whole` does. Scales end
    earlier where a side is odd.

    Dinh et al. (2017), arXiv:1605.08803.
    """
    h, w, c = shape
    even = h % 2 == 0 and w % 2 == 0
    deep = (h // 2, w // 2, 4 * c) if even else shape
    coarser = (*deep[:2], deep[2] // 2)
    if scales > 1 and coarser[0] % 2 == 0 and coarser[1] % 2 == 0:
        first = split(deep, multiscale(coarser, scales - 1, squeezed, whole))
    else:
        first = reshape(deep)
    steps = {"coarser": first, "squeezed": squeezed(deep)}
    if even:
        steps["space"] = invert(squeeze(shape))
    if whole:
        steps["whole"] = whole(shape)
    return compose(**steps)


def image_of(shape: tuple[int, ...]) -> Shape:
    """An image's own shape; anything else is one place with many channels."""
    return shape if len(shape) == 3 else (1, 1, math.prod(shape))  # type: ignore[return-value]


def scale_and_shift(shape: Shape, width: int, classes: int) -> Network:
    """`f32[h w c] -> f32[2, h w c]`: what a coupling of images reads, in the order of `coupling`."""
    body = local_convnet(shape, 2 * shape[2], classes, width)

    def apply(params, x, cond):
        found = body.apply(params, bent(x).reshape(shape), cond)
        return jnp.moveaxis(found.reshape(*shape[:2], 2, shape[2]), 2, 0)

    return Network(body.init, apply)
