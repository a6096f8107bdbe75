"""What the variational autoencoders share: what networks read of an example, and what they say of it."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Event, Network, one_hot, reading
from ..distributions import Observation, discretized_logistic, gaussian
from ..networks import mlp


def entries(event: Event, x):
    """An example as `f32[d]`, levels as the middles of their cells of [-1, 1]."""
    flat = x.reshape(-1)
    return flat if event.levels is None else 2 * (flat + 0.5) / event.levels - 1


def with_label(event: Event):
    """`(..., vectors, label) -> f32`, everything side by side, the label as a vector of `event.classes`."""

    def beside(*inputs):
        *vectors, label = inputs
        return jnp.concatenate([*vectors, one_hot(label, event.classes)])

    return beside


def perceptron(event: Event, inputs: int, outputs: int, width: int, depth: int, quiet=False):
    """A perceptron of vectors of `inputs` numbers in all, and of the label."""
    body = mlp(inputs + event.classes, outputs, width, depth, quiet)
    return reading(body, with_label(event))


def encoder_of(event: Event, outputs: int, width: int, depth: int, quiet=False) -> Network:
    """`(x, label) -> f32[outputs]`."""
    d, beside = math.prod(event.shape), with_label(event)
    body = mlp(d + event.classes, outputs, width, depth, quiet)
    return reading(body, lambda x, cond: beside(entries(event, x), cond))


def decoder_of(event: Event, inputs: int, width: int, depth: int) -> tuple[Network, Observation]:
    """`(f32[inputs], label) -> ` the numbers of the observation model, and that model.

    Normal for reals, with one scale an entry that the code does not move, and a discretised logistic for
    levels.
    """
    d = math.prod(event.shape)
    if event.levels is None:
        body = with_scale(mlp(inputs + event.classes, d, width, depth), d)
        return reading(body, with_label(event)), gaussian(event.shape)
    body = mlp(inputs + event.classes, 2 * d, width, depth)
    return reading(body, with_label(event)), discretized_logistic(event.shape, event.levels)


def with_scale(means: Network, d: int) -> Network:
    """The means, and a log-scale for each that the latent does not move, small at first.

    A scale that it moved would draw clusters as wide blobs, and the latent would go unused.
    Rybkin et al. (2020), arXiv:2006.13202.
    """

    def init(key):
        return {"means": means.init(key), "log_scale": -2.0 * jnp.ones(d)}

    def apply(params, z):
        return jnp.concatenate([means.apply(params["means"], z), params["log_scale"]])

    return Network(init, apply)
