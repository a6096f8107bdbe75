"""Layers of networks that others trained, by the names and shapes of their published weights.

Parameters are one flat dict `{name: array}` in the layout of their files (convolutions `[out, in, h, w]`,
linear maps `[out, in]`); images are `f32[h, w, channels]`, sequences `f32[n, width]`.
"""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .extractor import Extractor


def convolution(params, name: str, x, stride=1, padding="SAME", groups: int = 1):
    kernel = params[f"{name}.weight"]
    layout = ("NHWC", "OIHW", "NHWC")
    y = jax.lax.conv_general_dilated(
        x[None], kernel, (stride, stride), padding, (1, 1), (1, 1), layout, groups
    )[0]
    return y + params.get(f"{name}.bias", 0.0)


def linear(params, name: str, x):
    return x @ params[f"{name}.weight"].T + params.get(f"{name}.bias", 0.0)


def batch_norm(params, name: str, x, epsilon: float):
    """`weight (x - mean) / sqrt(variance + epsilon) + bias`, mean and variance as they were in training."""
    mean, variance = params[f"{name}.running_mean"], params[f"{name}.running_var"]
    scale = params[f"{name}.weight"] / jnp.sqrt(variance + epsilon)
    return (x - mean) * scale + params[f"{name}.bias"]


def layer_norm(params, name: str, x, epsilon: float):
    """The same with mean and variance of each row itself."""
    away = x - x.mean(-1, keepdims=True)
    normal = away / jnp.sqrt((away**2).mean(-1, keepdims=True) + epsilon)
    return normal * params[f"{name}.weight"] + params[f"{name}.bias"]


def attention(params, names: list[str], x, heads: int):
    """`softmax(q k' / sqrt(d)) v` in each head, then a linear map; names of q, k, v, out."""
    *inputs, out = names
    rows = (linear(params, name, x).reshape(len(x), heads, -1) for name in inputs)
    q, k, v = (jnp.swapaxes(each, 0, 1) for each in rows)
    read = jax.nn.softmax(q @ jnp.swapaxes(k, 1, 2) * q.shape[-1] ** -0.5) @ v
    return linear(params, out, jnp.swapaxes(read, 0, 1).reshape(x.shape))


def rgb(image):
    """`f32[h, w, 1 or 3] -> f32[h, w, 3]`: grey is repeated."""
    return jnp.broadcast_to(image, (*image.shape[:2], 3))


def count(params, prefix: str) -> int:
    """How many blocks there are under `prefix`, as in `prefix.0.name`, `prefix.1.name`."""
    inside = (name.removeprefix(prefix + ".") for name in params if name.startswith(prefix + "."))
    return len({name.split(".")[0] for name in inside})


def read(who: str, path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file as float32. Raises ValueError if it cannot be read."""
    path = Path(path).expanduser()
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"{who}: got {path}, which cannot be read ({error}), wanted a safetensors file with its "
            "weights; save a state dict with safetensors.torch.save_file"
        ) from error
    return {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}


def extractor(who: str, params, apply, names: str) -> Extractor:
    """An extractor whose weights fit its architecture, found out by tracing it once.

    Raises ValueError if a tensor is missing or of another shape; `names` says whose names are meant.
    """
    try:
        jax.eval_shape(apply, params, jax.ShapeDtypeStruct((32, 32, 3), jnp.float32))
    except KeyError as error:
        raise ValueError(
            f"{who}: got weights without {error}, wanted the tensors of {names}; save its state dict "
            "under its own names"
        ) from error
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{who}: got weights whose shapes do not fit each other, wanted the tensors of {names}; "
            "save its state dict as it is"
        ) from error
    return Extractor(who, params, apply)
