"""Jet: affine couplings of an image's patches, their network a vision transformer."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from ..core import Batch, Event, Model, Network
from ..core.check import positive
from ..networks.patch_transformer import patch_transformer
from ..transforms import coupling, reshape, stacked
from .normalizing_flow import crescent, image_flow
from .patches import patches, tokens_of


def jet(
    event: Event, patch: int = 2, layers: int = 8, width: int = 64, depth: int = 1, heads: int = 4
) -> Model:
    """An `image_flow` of `layers` affine couplings, each half of an image moving the other. Claim as there.

    Halves are those of each `patch` x `patch` patch's numbers in two layers of four, and every other patch in
    the two after; scale and shift come from a transformer of `depth` blocks over all patches, the identity at
    first. A vector has its entries as tokens. Both directions cost one pass.

    Example: `jet(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Kolesnikov et al. (2024), arXiv:2412.15129. Raises ValueError unless `patch` divides both sides of an
    image, `heads` divides `width`, and there are two entries.
    """
    positive("jet", patch=patch, layers=layers)
    size, numbers = tokens_of(event.shape, patch)
    if size * numbers < 2:
        raise ValueError(
            f"jet: got an event of shape {event.shape}, wanted at least 2 entries; use a family without "
            "halves"
        )
    body = patch_transformer(size, numbers, 2 * numbers, event.classes, width, depth, heads)

    def scale_and_shift(params, x, cond):
        found = body.apply(params, x.reshape(size, numbers), cond)
        return jnp.moveaxis(found.reshape(size, 2, numbers), 1, 0)

    network = Network(body.init, scale_and_shift)
    couplings = stacked(lambda mask: coupling(network, mask), masks(layers, event.shape, patch))
    return image_flow(
        event,
        couplings=couplings,
        tokens=reshape((size, numbers)),
        image=patches(event.shape, patch),
    )


def masks(layers: int, shape: tuple[int, ...], patch: int) -> np.ndarray:
    """Zeros and ones `[layers, d]` in the order of tokens: a random half of each patch's numbers and the
    other half, then every other patch, as on a chessboard, and the rest; lone numbers just alternate."""
    size, numbers = tokens_of(shape, patch)
    across = shape[1] // patch if len(shape) == 3 else 1
    board = (np.arange(size) // across + np.arange(size) % across) % 2
    within = [np.random.default_rng(i // 4).permutation(numbers) % 2 for i in range(layers)]
    # what cannot be halved one way is halved the other
    patchwise = [size > 1 and (numbers == 1 or i % 4 >= 2) for i in range(layers)]
    split = [board[:, None] if whole else within[i] for i, whole in enumerate(patchwise)]
    return np.array(
        [np.broadcast_to((half + i) % 2, (size, numbers)).ravel() for i, half in enumerate(split)],
        np.float32,
    )


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 2e-3}
    patch = 4 if math.prod(event.shape) > 500 else 2
    return {"steps": 600, "batch": 64, "rate": 2e-3, "weight_decay": 0.1, "patch": patch}


def tiny() -> tuple[Model, Batch]:
    return jet(Event((2,)), layers=4, width=8, heads=2), crescent()
