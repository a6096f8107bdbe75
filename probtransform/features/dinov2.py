"""DINOv2, a vision transformer trained without labels, for weights that the user brings."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import layers
from .extractor import Extractor

NAME = "FD-DINO-ViT"
EPSILON = 1e-6
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def dino(weights: str | Path, heads: int | None = None, size: int = 224) -> Extractor:
    """The class token f32[width] of `f32[h, w, 1 or 3]` in [-1, 1], any size; no logits.

    A transformer over patches and a class token, with normalisation before and a learned scale of
    each channel after every attention and MLP (SwiGLU where the weights have it). Patch, width
    and depth are those of the weights; `heads` is `width / 64` if left out, which all published
    models have. An image is resized to `size` x `size` (bicubic, antialiased; another shape is
    squeezed), grey repeated, and `(rgb - mean) / deviation` taken with ImageNet's numbers; the
    positions, learned for a larger image, are interpolated to the patches there are.

    `weights` is a safetensors file under the names that transformers' Dinov2Model is published with
    (`encoder.layer.0.attention.attention.query.weight`). Raises ValueError if it cannot be read or is of
    another network. Oquab et al. (2023), arXiv:2304.07193.
    """
    fn = partial(apply, heads=heads, size=size)
    return layers.extractor(NAME, layers.read(NAME, weights), fn, "transformers' Dinov2Model")


def apply(params, image, heads: int | None = None, size: int = 224):
    """`(features f32[width], None)` of ONE image of any size."""
    x = jax.image.resize(layers.rgb(image), (size, size, 3), "bicubic", antialias=True)
    *_, last = hidden_states(params, ((x + 1) / 2 - MEAN) / DEVIATION, heads)
    return layers.layer_norm(params, "layernorm", last[0], EPSILON), None


def hidden_states(params, x, heads: int | None = None):
    """The sequence `f32[1 + patches, width]` before the first block and after each."""
    name = "embeddings.patch_embeddings.projection"
    patch = params[f"{name}.weight"].shape[-1]
    patches = layers.convolution(params, name, x, patch, "VALID")
    token, *positions = jnp.split(params["embeddings.position_embeddings"][0], [1])
    h = patches + interpolated(positions[0], patches.shape[:2])
    h = jnp.concatenate([params["embeddings.cls_token"][0] + token, h.reshape(-1, h.shape[-1])])
    yield h
    for i in range(layers.count(params, "encoder.layer")):
        h = block(params, f"encoder.layer.{i}", h, heads)
        yield h


def block(params, name: str, h, heads: int | None):
    """`h + scale attention(norm h)`, then `h + scale mlp(norm h)`."""
    inner = ("attention.query", "attention.key", "attention.value", "output.dense")
    maps = [f"{name}.attention.{each}" for each in inner]
    normal = layers.layer_norm(params, f"{name}.norm1", h, EPSILON)
    seen = layers.attention(params, maps, normal, heads or h.shape[-1] // 64)
    h = h + params[f"{name}.layer_scale1.lambda1"] * seen
    normal = layers.layer_norm(params, f"{name}.norm2", h, EPSILON)
    return h + params[f"{name}.layer_scale2.lambda1"] * mlp(params, f"{name}.mlp", normal)


def mlp(params, name: str, h):
    if f"{name}.weights_in.weight" in params:
        gate, value = jnp.split(layers.linear(params, f"{name}.weights_in", h), 2, axis=-1)
        return layers.linear(params, f"{name}.weights_out", jax.nn.silu(gate) * value)
    inner = jax.nn.gelu(layers.linear(params, f"{name}.fc1", h), approximate=False)
    return layers.linear(params, f"{name}.fc2", inner)


def interpolated(positions, shape: tuple[int, int]):
    """Positions of a square of places, `f32[n * n, width]`, for another number: `f32[*shape, width]`."""
    side = round(len(positions) ** 0.5)
    square = positions.reshape(side, side, -1)
    if shape == (side, side):
        return square
    rows, columns = (bicubic(side, count) for count in shape)
    return jnp.einsum("ia,jb,abk->ijk", rows, columns, square)


def bicubic(old: int, new: int) -> np.ndarray:
    """The matrix `[new, old]` of cubic convolution with a = -3/4, its edge repeated.

    Pixel i reads place `(i + 1/2) old / new - 1/2`. The constant is that of the interpolation
    the models were published with; `jax.image.resize` has a = -1/2. Keys (1981).
    """
    a = -0.75
    place = (np.arange(new) + 0.5) * old / new - 0.5
    matrix = np.zeros((new, old))
    for step in (-1, 0, 1, 2):
        at = np.floor(place).astype(int) + step
        d = np.abs(place - at)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = a * (((d - 5) * d + 8) * d - 4)
        weight = np.where(d <= 1, near, far)
        np.add.at(matrix, (np.arange(new), np.clip(at, 0, old - 1)), weight)
    return matrix.astype(np.float32)
