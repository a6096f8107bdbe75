"""Coupling: half of a vector moves the other half, so that both directions cost one pass."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Network, Transform
from ..core.check import example
from .scalar import Scalar, shift_and_scale


def coupling(network: Network, mask, scalar: Scalar | None = None) -> Transform[Exact]:
    """Entries where `mask` is 1 stay and say how the others move, each by a monotone map of its own.

    `network.apply(params, z * mask, cond)` gives `size * d` numbers, those of the scalar map's first
    parameter for all entries, then the second's; the map is affine (`shift_and_scale`) if left out. With a
    network whose last layer starts at zero the coupling starts as the identity.
    `log|det| = sum of log slopes`.

    Example: `z, x: f32[d]`, `mask: f32[d]` of zeros and ones. Dinh et al. (2017), arXiv:1605.08803.
    """
    mask, scalar = jnp.asarray(mask, jnp.float32), scalar or shift_and_scale()

    def moved(way, params, x, cond):
        theta = network.apply(params, x * mask, cond).reshape(scalar.size, -1)
        y, log_slope = jax.vmap(way, (1, 0))(theta, x)
        return jnp.where(mask > 0, x, y), -jnp.where(mask > 0, 0.0, log_slope).sum()

    def joint(params, key, z, cond=None):
        return moved(scalar.forward, params, z, cond)

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    def inverse(params, key, x, cond=None):
        example("coupling", x, mask.shape)
        return moved(scalar.inverse, params, x, cond)

    return Transform(network.init, forward, Exact(inverse), joint)


def half_coupling(
    network: Network, order, kept: int, scalar: Scalar | None = None
) -> Transform[Exact]:
    """Entries `order[:kept]` stay and say how the others, `order[kept:]`, move: only those are computed.

    The same map as `coupling`, for scalar maps that cost more than finding the halves.
    `network.apply(params, z[order[:kept]], cond)` gives `(d - kept) * size` numbers, all parameters of
    one entry after another; the map is affine if left out. `log|det| = sum of log slopes`.

    Example: `z, x: f32[d]`, `order: i32[d]` a permutation of `0 .. d-1`.
    Dinh et al. (2017), arXiv:1605.08803. Raises ValueError unless both halves have an entry.
    """
    order, scalar = jnp.asarray(order), scalar or shift_and_scale()
    (d,) = order.shape
    if not 0 < kept < d:
        raise ValueError(
            f"half_coupling: got kept={kept} of {d} entries, wanted at least one to stay and one to move; "
            "choose a number between"
        )
    permutation = jnp.eye(d)[order]  # as a product: the gradient of an indexing is a slow scatter

    def moved(way, params, x, cond):
        still, rest = jnp.split(jnp.matmul(permutation, x, precision="highest"), [kept])
        theta = network.apply(params, still, cond).reshape(d - kept, scalar.size)
        y, log_slope = jax.vmap(way)(theta, rest)
        y = jnp.concatenate([still, y])
        return jnp.matmul(permutation.T, y, precision="highest"), -log_slope.sum()

    def joint(params, key, z, cond=None):
        return moved(scalar.forward, params, z, cond)

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    def inverse(params, key, x, cond=None):
        example("half_coupling", x, (d,))
        return moved(scalar.inverse, params, x, cond)

    return Transform(network.init, forward, Exact(inverse), joint)
