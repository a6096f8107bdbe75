"""Any map, conditional: a network moves its parameters with the condition."""

from __future__ import annotations

from typing import Any, TypeVar

import jax
from jax.flatten_util import ravel_pytree

from ..core import Density, Network, Transform

D = TypeVar("D", bound="Density | None", covariant=True)


def conditioned(transform: Transform[D], network: Network) -> Transform[D]:
    """The same map at parameters `own + network(cond)`, all of them in one vector; the claim is its own.

    `network.apply(params, cond)` gives as many numbers as the map has parameters; with a last layer that
    starts at zero the condition says nothing at first.

    Example: `conditioned(planar(2), reading(mlp(1, 5, quiet=True), lambda c: c[None]))`.
    Raises ValueError if the network gives another number of outputs.
    """

    claim: Any = transform.inverse
    met: Any = transform.joint

    def init(key):
        first, second = jax.random.split(key)
        return {"own": transform.init(first), "network": network.init(second)}

    def at(params, cond):
        own, restored = ravel_pytree(params["own"])
        moved = network.apply(params["network"], cond)
        if moved.shape != own.shape:
            raise ValueError(
                f"conditioned: got a network of output shape {moved.shape}, wanted {own.shape}, a number for "
                "each parameter of the map; change its last layer"
            )
        return restored(own + moved)

    def forward(params, key, z, cond=None):
        return transform.forward(at(params, cond), key, z, cond)

    def inverse_fn(params, key, x, cond=None):
        return claim.fn(at(params, cond), key, x, cond)

    def joint(params, key, z, cond=None):
        return met(at(params, cond), key, z, cond)

    inverse: Any = claim if claim is None else type(claim)(inverse_fn)
    return Transform(init, forward, inverse, None if met is None else joint)
