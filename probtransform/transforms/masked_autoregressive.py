"""Masked autoregressive flow: every number is moved as those before it say."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Causal, Exact, Transform
from ..core.check import example
from .scalar import Scalar, shift_and_scale


def masked_autoregressive(network: Causal, order, scalar: Scalar | None = None) -> Transform[Exact]:
    """`x_i = f(z_i; theta_i(x_<i))` with `f` a monotone map of the line, affine if left out.

    `order: i32[d]` names the entries from first to last. `network` gives `theta: f32[d, scalar.size]` of the
    entries so ordered, row i from those before i; where its last layer starts at zero the flow starts as the
    identity. `log|det| = sum of log slopes`. Densities (x to z) take one pass; sampling (z to x) goes entry
    by entry but computes every hidden unit once, which costs about one pass too. An entry may itself be a
    vector, a token, moved by a map of vectors (`entrywise`).

    Example: `z, x: f32[d]`, or `f32[d, 4]` of d tokens. Papamakarios et al. (2017), arXiv:1705.07057.
    Raises ValueError if `order` is not a permutation.
    """
    scalar, order = scalar or shift_and_scale(), jnp.asarray(order)
    if not isinstance(order, jax.core.Tracer) and (sorted(order.tolist()) != [*range(len(order))]):
        raise ValueError(
            f"masked_autoregressive: got order={order.tolist()}, wanted a permutation of 0 to d - 1; "
            "name every entry once"
        )
    place = jnp.argsort(order)

    def joint(params, key, z, cond=None):
        x, log_slope = network.unroll(params, scalar.forward, z[order], cond)
        return x[place], -log_slope.sum()

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    def inverse(params, key, x, cond=None):
        example("masked_autoregressive", x, (*order.shape, *x.shape[1:]))
        x = x[order]
        z, log_slope = jax.vmap(scalar.inverse)(network.apply(params, x, cond), x)
        return z[place], -log_slope.sum()

    return Transform(network.init, forward, Exact(inverse), joint)
