"""Masked autoregressive layers of zuko, nflows and flowjax, weight for weight as layers of ours.

All three give degrees `i mod (size - 1)` to hidden units, as `causal` does but for their order; all send data
to noise by `z = scale x + shift`, and differ in how the scale comes out of the network.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from probtransform.transforms import Scalar


def of_scale(scale, shift) -> Scalar:
    """`z = scale(theta) x + shift(theta)` as a map from z to x."""
    return Scalar(
        2,
        lambda theta, z: ((z - shift(theta)) / scale(theta), -jnp.log(scale(theta))),
        lambda theta, x: (x * scale(theta) + shift(theta), -jnp.log(scale(theta))),
    )


ZUKO = of_scale(lambda t: jnp.exp(t[1] / (1 + abs(t[1] / math.log(1e-3)))), lambda t: t[0])
NFLOWS = of_scale(lambda t: jax.nn.softplus(t[0]) + 1e-3, lambda t: t[1])
ONE = math.log(math.expm1(1 - 1e-2))  # flowjax adds what makes a scale of one
FLOWJAX = of_scale(lambda t: jax.nn.softplus(t[1] + ONE) + 1e-2, lambda t: t[0])


def params_of(layers, order):
    """Weights `[out, in]`, already masked, and biases, first layer to last, as `causal`'s parameters."""
    (first, _), *_, (last, _) = layers
    size, width = first.shape[1], first.shape[0]
    degrees = (first != 0).sum(1) - 1
    if sorted(degrees) != sorted(np.arange(width) % (size - 1)):
        raise ValueError(f"transplant: got degrees {sorted(degrees)}, wanted those of `causal`")
    units, outputs = np.argsort(degrees, kind="stable"), len(last) // size
    rows = (np.asarray(order)[:, None] * outputs + np.arange(outputs)).reshape(-1)
    read, write = [order] + [units] * (len(layers) - 1), [units] * (len(layers) - 1) + [rows]
    return {
        "kernel": [
            jnp.asarray(w.T[a][:, b]) for (w, _), a, b in zip(layers, read, write, strict=True)
        ],
        "bias": [jnp.asarray(b[i]) for (_, b), i in zip(layers, write, strict=True)],
        "context": [jnp.zeros((0, len(b))) for _, b in layers],
    }


def from_zuko(layer):
    """`(params, order)` of a `zuko.flows.MaskedAutoregressiveTransform`."""
    linear = [m for m in layer.hyper if hasattr(m, "mask")]
    order = np.argsort(layer.order.numpy())
    layers = [((m.mask * m.weight).detach().numpy(), m.bias.detach().numpy()) for m in linear]
    return params_of(layers, order), order


def from_nflows(layer):
    """`(params, order)` of an `nflows` `MaskedAffineAutoregressiveTransform` without residual blocks."""
    net = layer.autoregressive_net
    linear = [net.initial_layer, *(block.linear for block in net.blocks), net.final_layer]
    layers = [((m.mask * m.weight).detach().numpy(), m.bias.detach().numpy()) for m in linear]
    order = np.arange(layers[0][0].shape[1])
    return params_of(layers, order), order


def from_flowjax(layer):
    """`(params, order)` of an unwrapped flowjax `MaskedAutoregressive`."""
    linear = layer.masked_autoregressive_mlp.layers
    layers = [(np.asarray(m.weight), np.asarray(m.bias)) for m in linear]
    order = np.arange(layers[0][0].shape[1])
    return params_of(layers, order), order


def chained(params, permutations):
    """Layers with a permutation after each, `y -> y[p]`, data to noise, as `(params, orders)` for `stacked`.

    The permutations are carried into the orders; noise of ours is theirs at the last of the returned places.
    """
    places = [np.arange(len(permutations[0]))]
    for p in permutations:
        places.append(places[-1][p])
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves[::-1]), *params)
    return stack, np.stack(places[:-1][::-1]), places[-1]
