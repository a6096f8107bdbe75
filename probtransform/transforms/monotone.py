"""A monotone network of one hidden layer, for couplings and autoregressive flows."""

from __future__ import annotations

import jax.numpy as jnp

from ..core.check import positive
from .bisection import solve_increasing
from .scalar import Scalar


def monotone(units: int = 8) -> Scalar:
    """`x = e^s (z + sum_k w_k tanh(e^(c_k) (z - b_k))) + t`, a sum of bends at `b_k` of width `e^(-c_k)`.

    With `w_k e^(c_k) = (e^(v_k) - 1) / units` and every `|v_k| < 2` the slope over `e^s` stays between
    `e^-2` and `e^2`, so x takes every value once; `theta = (s, t, v, b, c)`, each first brought within
    bounds by tanh. The bends' places are spread over [-2, 2]. Zeros are the identity.

    The inverse is `solve_increasing`: NaN where it has no certificate.
    Huang et al. (2018), arXiv:1804.00779. Raises ValueError if there is no unit.
    """
    positive("monotone", units=units)
    places = jnp.linspace(-2.0, 2.0, units) if units > 1 else jnp.zeros(1)

    def within(raw, bound):
        return bound * jnp.tanh(raw / bound)

    def parts(theta):
        v, b, c = theta[2:].reshape(3, units)
        s, c = within(theta[0], 2.0), within(c, 2.0)
        return s, theta[1], jnp.expm1(within(v, 2.0)) / units, places + b, c

    def forward(theta, z):
        s, t, bend, place, c = parts(theta)
        u = jnp.tanh(jnp.exp(c) * (z - place))
        x = jnp.exp(s) * (z + (bend * jnp.exp(-c) * u).sum()) + t
        return x, s + jnp.log1p((bend * (1 - u**2)).sum())

    def inverse(theta, x):
        s = within(theta[0], 2.0)
        centred = (x - theta[1]) * jnp.exp(-s)
        even = theta.at[:2].set(0.0)
        z = solve_increasing(lambda z: forward(even, z)[0], centred)
        return z, forward(theta, z)[1]

    return Scalar(2 + 3 * units, forward, inverse)
