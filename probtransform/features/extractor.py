"""A feature extractor: what a distance between images looks at instead of their pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from ..core.check import positive


class Extractor(NamedTuple):
    """A trained network that reads ONE image and gives its features, and logits if it classifies.

    name:   what a distance in these features is reported as, for example `FD-digits`.
    params: the trained parameters, a pytree.
    apply:  `(params, image) -> (features f32[k], logits f32[c] or None)`; `image: f32[h, w, c]` in [-1, 1].
    shape:  of the image; None where any size is resized to the network's own, and any of 1 or 3
            channels is read as grey or RGB.
    """

    name: str
    params: Any
    apply: Callable[..., Any]
    shape: tuple[int | None, ...] = (None, None, None)


def features_of(
    extractor: Extractor, images, chunk: int = 100
) -> tuple[np.ndarray, np.ndarray | None]:
    """Features `f32[n, k]` and logits `f32[n, c]` (or None) of many images `[n, h, w, c]` in [-1, 1].

    `chunk` images are on the device at once: chunks have one size, the last filled up, so that one
    program serves them all. Results come to the host as numpy arrays and do not depend on `chunk`.

    Raises ValueError unless the images are reals in [-1, 1] of the extractor's shape, and chunk >= 1.
    """
    images = checked(extractor, np.asarray(images))
    positive("features_of", chunk=chunk)
    count = len(images)
    size = -(-count // -(-count // chunk))
    parts = []
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        parts.append(jax.device_get(over(extractor.apply, extractor.params, images[rows])))
    features, logits = zip(*parts, strict=True)
    return (
        np.concatenate(features)[:count],
        None if logits[0] is None else np.concatenate(logits)[:count],
    )


@partial(jax.jit, static_argnums=0)
def over(apply, params, images):
    return jax.vmap(partial(apply, params))(images)


def checked(extractor: Extractor, images: np.ndarray) -> np.ndarray:
    """The images as float32, or a ValueError that says what is wrong with them."""
    who, wanted = extractor.name, extractor.shape
    fits = images.ndim == 4 and all(
        w in (None, got) for w, got in zip(wanted, images.shape[1:], strict=True)
    )
    if wanted[-1:] == (None,):
        fits = fits and images.shape[-1] in (1, 3)
    if not fits or not images.size:
        words = ", ".join("any" if w is None else str(w) for w in wanted[:-1])
        words += f", {wanted[-1] or '1 or 3'}"
        raise ValueError(
            f"{who}: got images of shape {images.shape}, wanted one or more as [n, {words}]; "
            "resize them, or choose an extractor of their size"
        )
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{who}: got {images.dtype} images, wanted reals in [-1, 1]; scale bytes by x / 127.5 - 1"
        )
    images = images.astype(np.float32)
    low, high = images.min(), images.max()
    if not (low >= -1 - 1e-5 and high <= 1 + 1e-5):  # so written, NaN is refused too
        raise ValueError(
            f"{who}: got values from {low:g} to {high:g}, wanted reals in [-1, 1]; scale them, or clip "
            "what a model overshoots"
        )
    return images
