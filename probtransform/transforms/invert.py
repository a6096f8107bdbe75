"""A bijection run the other way."""

from __future__ import annotations

from ..core import Exact, Transform
from ..core.distribution import carried


def invert(transform: Transform[Exact]) -> Transform[Exact]:
    """The inverse of a bijection as a transform: `x = f^-1(z)`, weights change sign.

    What one direction does fast, the other now does: the inverse of a masked autoregressive flow
    samples in one pass. Only a bijection whose steps ignore the key has an inverse in this sense.
    """

    def joint(params, key, z, cond=None):
        x, weight = transform.inverse.fn(params, key, z, cond)
        return x, -weight

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    def inverse(params, key, x, cond=None):
        z, weight = carried(transform)(params, key, x, cond)
        return z, -weight

    return Transform(transform.init, forward, Exact(inverse), joint)
