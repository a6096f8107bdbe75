"""MAF: masked autoregressive flow, the order of the entries turned round from layer to layer."""

from __future__ import annotations

import math

import jax
import numpy as np

from ..core import Batch, Causal, Event, Exact, Model, Transform, one_hot
from ..core.check import positive
from ..networks.causal import causal
from ..transforms import Scalar, invert, shift_and_scale, stacked
from ..transforms.masked_autoregressive import masked_autoregressive
from .normalizing_flow import crescent, normalizing_flow


def maf(event: Event, layers: int = 4, width: int = 128, depth: int = 2) -> Model:
    """A `normalizing_flow` of `layers` masked autoregressive maps, the identity at first. Claim as there.

    Densities take one pass of each network, and so, about, do samples.

    Example: `maf(Event((2,)))` samples `f32[2]`. Papamakarios et al. (2017), arXiv:1705.07057.
    Raises ValueError if a size is less than one, or `width` less than the entries less one.
    """
    return autoregressive_flow("maf", event, layers, width, depth, shift_and_scale())


def autoregressive_flow(
    who: str, event: Event, layers: int, width: int, depth: int, scalar: Scalar, inverted=False
) -> Model:
    """Layers of one scalar map, or of their inverses: what `maf` and its relatives have in common."""
    positive(who, layers=layers)
    d = math.prod(event.shape)
    body = causal(d, scalar.size, event.classes, width, depth, jax.nn.silu)
    network = with_label(body, event.classes)

    def layer(order) -> Transform[Exact]:
        step = masked_autoregressive(network, order, scalar)
        return invert(step) if inverted else step

    return normalizing_flow(event, layers=stacked(layer, orders(layers, d)))


def with_label(network: Causal, classes: int) -> Causal:
    """The same network, its condition a class label."""
    return Causal(
        network.init,
        lambda params, x, cond: network.apply(params, x, one_hot(cond, classes)),
        lambda params, answer, z, cond: network.unroll(params, answer, z, one_hot(cond, classes)),
    )


def orders(layers: int, d: int) -> np.ndarray:
    """Permutations `[layers, d]`: the order of the entries, and the reverse a layer later."""
    return np.stack([np.arange(d)[:: -1 if i % 2 else 1] for i in range(layers)])


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 256, "rate": 2e-3}
    width = max(128, math.prod(event.shape))
    return {"steps": 400, "batch": 128, "weight_decay": 1.0, "width": width}


def tiny() -> tuple[Model, Batch]:
    return maf(Event((2,)), layers=3, width=16), crescent()
