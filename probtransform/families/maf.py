"""MAF: masked autoregressive flow, the order of the entries turned round from layer to layer."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Batch, Causal, Event, Exact, Model, Player, Transform, each, one_hot, pushforward
from ..core.check import positive
from ..distributions import normal
from ..networks.causal import causal
from ..objectives import likelihood
from ..transforms import (
    Scalar,
    affine,
    invert,
    marginal,
    marginal_of,
    onto,
    shift_and_scale,
    stacked,
)
from ..transforms.masked_autoregressive import masked_autoregressive
from .gaussian import fitted


def maf(event: Event, layers: int = 4, width: int = 128, depth: int = 2) -> Model:
    """`layers` masked autoregressive maps, then an affine map, then the data's shape and levels.

    Densities take one pass of each network, and so, about, do samples. The layers start as the identity
    and `prepare` fits the rest, as in `realnvp`. Claim: Exact on reals, Bound on levels.

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
    last = onto(event)
    body = causal(d, scalar.size, event.classes, width, depth, jax.nn.silu)
    network = with_label(body, event.classes)

    def layer(order) -> Transform[Exact]:
        flow = masked_autoregressive(network, order, scalar)
        return invert(flow) if inverted else flow

    steps = {"layers": stacked(layer, orders(layers, d)), "affine": affine(d)}
    owns = tuple(steps)
    if event.levels is not None:
        steps["marginal"] = marginal(d, event.levels)
    distribution = pushforward(normal((d,)), **steps, data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        if event.levels is not None:
            params = params | {"marginal": marginal_of(z, event.levels)}
            z, _ = each(steps["marginal"].inverse.fn, params["marginal"], key, batch._replace(x=z))
        return params | {"affine": fitted(z, ridge=0.02)}

    return Model(distribution, {"flow": Player(owns, likelihood(distribution))}, prepare=prepare)


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
    return {"steps": 400, "batch": 128, "weight_decay": 1.0}


def tiny() -> tuple[Model, Batch]:
    return maf(Event((2,)), layers=3, width=16), crescent()


def crescent() -> Batch:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return Batch(jnp.stack([z[:, 0], z[:, 0] ** 2 + 0.3 * z[:, 1]], 1))
