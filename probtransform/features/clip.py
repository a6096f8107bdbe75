"""The image half of CLIP, a vision transformer, for weights that the user brings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from . import layers
from .extractor import Extractor

NAME = "FD-CLIP-ViT"
EPSILON = 1e-5
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def quick_gelu(x):
    """`x sigmoid(1.702 x)`."""
    return x * jax.nn.sigmoid(1.702 * x)


exact_gelu = partial(jax.nn.gelu, approximate=False)


def clip_vision(
    weights: str | Path, heads: int | None = None, activation: Callable = quick_gelu
) -> Extractor:
    """The projected embedding f32[k] of `f32[h, w, 1 or 3]` in [-1, 1], any size; no logits.

    A transformer over patches and a class token with normalisation before each block; the class
    token, normalised and projected, is the embedding (its length is left as it is). Size, patch, width
    and depth are those of the weights; `heads` is `width / 64` if left out, which the models of
    OpenAI have. Their activation is `quick_gelu`; OpenCLIP's models mostly have `exact_gelu`. An image
    is resized to the square of the weights (bicubic, antialiased; another shape is squeezed), grey
    repeated, and `(rgb - mean) / deviation` taken with CLIP's own numbers.

    `weights` is a safetensors file under the names of transformers' CLIPVisionModelWithProjection.
    Raises ValueError if it cannot be read or is of another network.
    Radford et al. (2021), arXiv:2103.00020.
    """
    params = layers.read(NAME, weights)
    fn = partial(apply, heads=heads, activation=activation)
    names = "transformers' CLIPVisionModelWithProjection"
    return layers.extractor(NAME, params, fn, names)


def apply(params, image, heads: int | None = None, activation: Callable = quick_gelu):
    """`(features f32[k], None)` of ONE image of any size."""
    *_, last = hidden_states(params, prepared(params, image), heads, activation)
    token = layers.layer_norm(params, "vision_model.post_layernorm", last[0], EPSILON)
    return layers.linear(params, "visual_projection", token), None


def prepared(params, image):
    """The image at the size of the weights, with CLIP's mean and deviation: `f32[side, side, 3]`."""
    places = params["vision_model.embeddings.position_embedding.weight"].shape[0] - 1
    patch = params["vision_model.embeddings.patch_embedding.weight"].shape[-1]
    side = round(places**0.5) * patch
    x = jax.image.resize(layers.rgb(image), (side, side, 3), "bicubic", antialias=True)
    return ((x + 1) / 2 - MEAN) / DEVIATION


def hidden_states(params, x, heads: int | None = None, activation: Callable = quick_gelu):
    """The sequence `f32[1 + patches, width]` before the first block and after each."""
    name = "vision_model.embeddings"
    patch = params[f"{name}.patch_embedding.weight"].shape[-1]
    h = layers.convolution(params, f"{name}.patch_embedding", x, patch, "VALID")
    h = jnp.concatenate([params[f"{name}.class_embedding"][None], h.reshape(-1, h.shape[-1])])
    h = h + params[f"{name}.position_embedding.weight"]
    h = layers.layer_norm(params, "vision_model.pre_layrnorm", h, EPSILON)
    yield h
    for i in range(layers.count(params, "vision_model.encoder.layers")):
        h = block(params, f"vision_model.encoder.layers.{i}", h, heads, activation)
        yield h


def block(params, name: str, h, heads: int | None, activation: Callable):
    """`h + attention(norm h)`, then `h + mlp(norm h)`."""
    maps = [f"{name}.self_attn.{each}_proj" for each in ("q", "k", "v", "out")]
    normal = layers.layer_norm(params, f"{name}.layer_norm1", h, EPSILON)
    h = h + layers.attention(params, maps, normal, heads or h.shape[-1] // 64)
    normal = layers.layer_norm(params, f"{name}.layer_norm2", h, EPSILON)
    inner = activation(layers.linear(params, f"{name}.mlp.fc1", normal))
    return h + layers.linear(params, f"{name}.mlp.fc2", inner)
