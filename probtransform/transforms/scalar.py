"""Monotone maps of the line: what couplings and autoregressive flows do to one number at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Scalar(NamedTuple):
    """A monotone map `z -> x` of the real line onto itself; parameters at zero make the identity.

    size:    how many parameters it has, `theta: f32[size]`, any real numbers.
    forward: `(theta, z) -> (x, log dx/dz)`, all of them scalars.
    inverse: `(theta, x) -> (z, log dx/dz)`, the same slope, found on the way back.
    """

    size: int
    forward: Callable[[Any, Any], tuple[Any, Any]]
    inverse: Callable[[Any, Any], tuple[Any, Any]]


def shift_and_scale(bound: float = 2.0) -> Scalar:
    """`x = z exp(s) + t` with `theta = (raw, t)` and `s = bound tanh(raw / bound)`.

    No scale leaves `exp(+-bound)`. Dinh et al. (2017), arXiv:1605.08803.
    """

    def log_scale(theta):
        return bound * jnp.tanh(theta[0] / bound)

    def forward(theta, z):
        s = log_scale(theta)
        return z * jnp.exp(s) + theta[1], s

    def inverse(theta, x):
        s = log_scale(theta)
        return (x - theta[1]) * jnp.exp(-s), s

    return Scalar(2, forward, inverse)


def shift() -> Scalar:
    """`x = z + t`, the additive map: volumes stay. Dinh et al. (2015), arXiv:1410.8516."""
    return Scalar(
        1,
        lambda theta, z: (z + theta[0], jnp.zeros_like(z)),
        lambda theta, x: (x - theta[0], jnp.zeros_like(x)),
    )


def entrywise(scalar: Scalar, d: int) -> Scalar:
    """The same map of each of `d` numbers, `z, x: f32[d]`: what moves a whole token at once.

    `theta: f32[d * size]` holds all parameters of one number after another; log slopes add.
    """

    def together(way):
        def moved(theta, at):
            value, log_slope = jax.vmap(way)(theta.reshape(d, scalar.size), at)
            return value, log_slope.sum()

        return moved

    return Scalar(d * scalar.size, together(scalar.forward), together(scalar.inverse))
