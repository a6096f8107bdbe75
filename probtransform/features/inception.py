"""Inception v3 as the Frechet Inception Distance uses it, for weights that the user brings."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import layers
from .extractor import Extractor

NAME = "FD-InceptionV3"
SIDE = 299
CLASSES = 1008


def inception_v3(weights: str | Path) -> Extractor:
    """Features f32[2048] and 1008 logits of `f32[h, w, 1 or 3]` in [-1, 1], any size.

    The network of 2015-12-05 that FID is defined by, which is not torchvision's: average pools
    leave the padding out, and the last block pools by the maximum. An image is resized to 299 x 299 as
    TensorFlow 1 did (bilinear, corner to corner of pixel 0, never antialiased), grey repeated, and read
    as `(rgb - 128) / 128` with rgb in [0, 255]. Published scores were taken of bytes: round samples to
    `k / 127.5 - 1` first. Logits come without the bias of the last layer, as the Inception score uses them.

    `weights` is a safetensors file under the names of torch-fidelity or pytorch-fid
    (`Conv2d_1a_3x3.conv.weight`, ..., `fc.bias`). Nothing in a file proves that it holds the weights
    that define FID, so the distance is called FD-InceptionV3 whatever it holds, and FID never.

    Raises ValueError if the file cannot be read or is of another network.
    Szegedy et al. (2015), arXiv:1512.00567; Heusel et al. (2017), arXiv:1706.08500.
    """
    params = layers.read(NAME, weights)
    if "fc.weight" in params and params["fc.weight"].shape != (CLASSES, 2048):
        raise ValueError(
            f"{NAME}: got a last layer of shape {params['fc.weight'].shape}, wanted ({CLASSES}, 2048); "
            "torchvision's network of 1000 classes is another one, bring that of FID"
        )
    return layers.extractor(NAME, params, apply, "torch_fidelity's FeatureExtractorInceptionV3")


def apply(params, image):
    """`(features f32[2048], logits f32[1008])` of ONE image of any size."""
    seen = taps(params, image)
    return seen["2048"], seen["2048"] @ params["fc.weight"].T


def taps(params, image) -> dict[str, jax.Array]:
    """The four layers that distances are taken in, each a mean over places: `64, 192, 768, 2048`."""
    x = ((resized(layers.rgb(image)) + 1) * 127.5 - 128) / 128
    go = partial(unit, params)
    x = go("Conv2d_1a_3x3", x, stride=2, padding="VALID")
    x = go("Conv2d_2b_3x3", go("Conv2d_2a_3x3", x, padding="VALID"))
    first = x = largest(x, 2, "VALID")
    x = go("Conv2d_4a_3x3", go("Conv2d_3b_1x1", x), padding="VALID")
    second = x = largest(x, 2, "VALID")
    for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        x = block(params, name, x, ["1x1"], ["5x5_1", "5x5_2"], dbl("3x3", 3))
    x = shrink(params, "Mixed_6a", x, ["3x3"], dbl("3x3", 3))
    for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        x = block(params, name, x, ["1x1"], ["7x7_1", "7x7_2", "7x7_3"], dbl("7x7", 5))
    third = x
    x = shrink(params, "Mixed_7a", x, ["3x3_1", "3x3_2"], [f"7x7x3_{i}" for i in (1, 2, 3, 4)])
    for name, pool in (("Mixed_7b", average), ("Mixed_7c", partial(largest, stride=1))):
        x = block(params, name, x, ["1x1"], ["3x3_1", "3x3_2"], dbl("3x3", 3), pool=pool)
    seen = {"64": first, "192": second, "768": third, "2048": x}
    return {name: y.mean((0, 1)) for name, y in seen.items()}


def dbl(size: str, count: int) -> list[str]:
    return [f"{size}dbl_{i + 1}" for i in range(count)]


def average(x):
    """The mean of each 3 x 3 neighbourhood, of those places alone that lie in the image."""
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, (3, 3, 1), (1, 1, 1), "SAME")
    rows, columns = (np.convolve(np.ones(n), np.ones(3), "same") for n in x.shape[:2])
    return total / np.outer(rows, columns).astype(np.float32)[..., None]


def largest(x, stride: int, padding: str = "SAME"):
    window, steps = (3, 3, 1), (stride, stride, 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, steps, padding)


def block(params, name: str, x, *branches: list[str], pool=average):
    """Branches of convolutions beside a pooled one, their channels one after another."""
    outputs = [branch_of(params, name, branch, x) for branch in branches]
    return jnp.concatenate([*outputs, unit(params, f"{name}.branch_pool", pool(x))], -1)


def branch_of(params, name: str, branch: list[str], x):
    """Convolutions in a row; one that the weights split in an `a` and a `b` gives both, side by side."""
    for step in branch:
        step = f"{name}.branch{step}"
        if f"{step}a.conv.weight" in params:
            x = jnp.concatenate([unit(params, step + half, x) for half in "ab"], -1)
        else:
            x = unit(params, step, x)
    return x


def shrink(params, name: str, x, *branches: list[str]):
    """The same where the last convolution of each branch, and the pool, halve height and width."""
    outputs = []
    for *before, last in branches:
        h = branch_of(params, name, before, x)
        outputs.append(unit(params, f"{name}.branch{last}", h, stride=2, padding="VALID"))
    return jnp.concatenate([*outputs, largest(x, 2, "VALID")], -1)


def unit(params, name: str, x, stride: int = 1, padding: str = "SAME"):
    """`relu(norm(conv x))`."""
    y = layers.convolution(params, f"{name}.conv", x, stride, padding)
    return jax.nn.relu(layers.batch_norm(params, f"{name}.bn", y, 1e-3))


def resized(x):
    """Output pixel i reads place `i n / 299` of n, between its two neighbours: `f32[299, 299, c]`."""
    for axis in (1, 0):
        n = x.shape[axis]
        place = np.arange(SIDE, dtype=np.float32) * np.float32(n / SIDE)
        low = place.astype(int)
        share = (place - low).reshape(-1, *[1] * (2 - axis))
        a, b = jnp.take(x, low, axis), jnp.take(x, np.minimum(low + 1, n - 1), axis)
        x = a + (b - a) * share
    return x
