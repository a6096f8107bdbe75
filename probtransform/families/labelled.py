"""Perceptrons that read a flat example and its label: what generates, infers and judges in small models."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Network, one_hot, reading
from ..networks import mlp


def labelled(
    inputs: int,
    outputs: int,
    classes: int,
    width: int,
    depth: int,
    quiet: bool = False,
    bias: bool = True,
) -> Network:
    """`(f32[inputs], label) -> f32[outputs]`; zero at first if `quiet`, no constant added without `bias`."""
    body = mlp(inputs + classes, outputs, width, depth, quiet, bias)
    return reading(body, lambda x, cond: jnp.concatenate([x.reshape(-1), one_hot(cond, classes)]))


def critic_of(
    inputs: int, classes: int, width: int, depth: int, quiet: bool = True, bias: bool = True
) -> Network:
    """`(f32[inputs], label) -> ` a logit, zero at first if `quiet`."""
    body = labelled(inputs, 1, classes, width, depth, quiet, bias)
    return Network(body.init, lambda *inputs: body.apply(*inputs)[0])
