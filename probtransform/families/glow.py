"""Glow: couplings, invertible 1 x 1 convolutions and actnorms at several scales of an image."""

from __future__ import annotations

import math

import numpy as np

from ..core import Batch, Event, Exact, Model, Transform
from ..core.check import positive
from ..transforms import actnorm, compose, coupling, invert, pointwise, reshape, stacked
from .multiscale import Shape, image_of, multiscale, scale_and_shift
from .normalizing_flow import crescent, image_flow
from .realnvp import channels


def glow(event: Event, scales: int = 2, layers: int = 8, width: int = 32) -> Model:
    """An `image_flow` of affine couplings, invertible 1 x 1 convolutions and actnorms. Claim as there.

    Each of `scales` has `layers` such steps. Between two scales an image is squeezed and half of its
    channels go deeper; scales end earlier where a side is odd, so that 28 x 28 has two, and a vector is one
    place without any. The whole is one bijection of `f32[d]` and an image, the identity at first.

    Example: `glow(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Kingma & Dhariwal (2018), arXiv:1807.03039. Raises ValueError if a coupling would have one channel.
    """
    positive("glow", scales=scales, layers=layers, width=width)

    def steps(shape: Shape) -> Transform[Exact]:
        if shape[2] < 2:
            raise ValueError(
                f"glow: got an event of shape {event.shape}, wanted two channels, or even sides to squeeze; "
                "pad it"
            )
        network = scale_and_shift(shape, width, event.classes)

        def step(mask) -> Transform[Exact]:
            return compose(
                flat=invert(reshape(shape)),
                couple=coupling(network, mask),
                image=reshape(shape),
                mix=pointwise(shape),
                norm=actnorm(shape),
            )

        # channels kept by one step move in the next
        turns = np.array([channels(shape) ^ bool(i % 2) for i in range(layers)], np.float32)
        return stacked(step, turns)

    shape = image_of(event.shape)
    deep = multiscale(shape, scales, steps)
    return image_flow(event, scales=compose(deep=deep, flat=invert(reshape(shape))))


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 3e-3}
    if math.prod(event.shape) > 500:
        return {"steps": 2000, "batch": 64, "layers": 6}
    return {"steps": 600, "batch": 128, "weight_decay": 0.3}


def tiny() -> tuple[Model, Batch]:
    return glow(Event((2,)), layers=4, width=16), crescent()
