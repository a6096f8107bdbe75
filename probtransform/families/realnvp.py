"""RealNVP: affine couplings, each half of the data moving the other in turn."""

from __future__ import annotations

import math

import numpy as np

from ..core import Batch, Event, Exact, Model, Transform
from ..core.check import positive
from ..transforms import compose, coupling, invert, reshape, stacked
from .multiscale import Shape, image_of, multiscale, scale_and_shift
from .normalizing_flow import conditioner, crescent, image_flow, normalizing_flow


def realnvp(
    event: Event, layers: int = 8, width: int = 64, depth: int = 2, scales: int = 0
) -> Model:
    """A `normalizing_flow` of `layers` affine couplings with alternating masks. Claim as there.

    With `scales` it is an `image_flow` instead: `layers` couplings at each scale split the channels of the
    squeezed image in halves, and as many split the pixels of the whole like a chessboard, their networks
    convolutions. Either starts as the identity.

    Example: `realnvp(Event((2,)))` samples `f32[2]`. Dinh et al. (2017), arXiv:1605.08803.
    Raises ValueError if `scales` is negative, or leaves no two channels or pixels to move one another.
    """
    positive("realnvp", layers=layers)
    if scales < 0:
        raise ValueError(
            f"realnvp: got scales={scales}, wanted at least 0; pass 0 for a flat vector"
        )
    d = math.prod(event.shape)
    if not scales:
        network = conditioner(d, 2 * d, event.classes, width, depth)
        halves = masks(layers, d)
        return normalizing_flow(
            event, couplings=stacked(lambda mask: coupling(network, mask), halves)
        )

    def moved_by(split):
        def couplings(shape: Shape) -> Transform[Exact]:
            network = scale_and_shift(shape, width, event.classes)
            half = split(shape)
            if half.all() or not half.any():
                raise ValueError(
                    f"realnvp: got an event of shape {event.shape} for scales={scales}, wanted an image with "
                    "even sides; use scales=0"
                )
            turns = np.array([half ^ bool(i % 2) for i in range(layers)], np.float32)
            return compose(
                flat=invert(reshape(shape)),
                couplings=stacked(lambda mask: coupling(network, mask), turns),
                image=reshape(shape),
            )

        return couplings

    shape = image_of(event.shape)
    deep = multiscale(shape, scales, moved_by(channels), moved_by(chessboard))
    return image_flow(event, scales=compose(deep=deep, flat=invert(reshape(shape))))


def masks(layers: int, d: int) -> np.ndarray:
    """Zeros and ones `[layers, d]`: a random half of the entries, and the other half a layer later."""
    halves = [np.random.default_rng(i // 2).permutation(d) % 2 for i in range(layers)]
    return np.array([(half + i) % 2 for i, half in enumerate(halves)], np.float32)


def channels(shape: Shape) -> np.ndarray:
    """`bool[h w c]`: the first half of the channels."""
    return np.broadcast_to(np.arange(shape[2]) < shape[2] // 2, shape).ravel()


def chessboard(shape: Shape) -> np.ndarray:
    """`bool[h w c]`: every other place, as the white ones of a chessboard."""
    return np.broadcast_to(np.indices(shape[:2]).sum(0)[..., None] % 2 == 0, shape).ravel()


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 3e-3}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0}


def tiny() -> tuple[Model, Batch]:
    return realnvp(Event((2,)), layers=4, width=16), crescent()
