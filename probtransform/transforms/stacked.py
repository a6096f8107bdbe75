"""Depth: equal layers one after another, compiled once however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax

from ..core import Density, Exact, Transform
from ..core.distribution import carried

D = TypeVar("D", bound="Density | None", covariant=True)


def stacked(layer: Callable[[Any], Transform[D]], over: Any) -> Transform[D]:
    """`x = f_n(... f_1(z))` with `f_i = layer(over[i])`: a scan over layers, their parameters stacked.

    `over` is a pytree of arrays `[n, ...]`: what tells one layer from the next besides its
    parameters (a mask, a permutation). The time to trace and compile does not grow with `n`; each
    layer draws its parameters, and its noise, from a key of its own. The claim is the layer's.

    Example: `stacked(lambda mask: coupling(network, mask), masks)` with `masks: f32[8, d]` maps
    `f32[d]` to `f32[d]`; every leaf of its block has a first axis of 8.
    Raises ValueError if the arrays of `over` differ in length or are empty.
    """
    lengths = {len(leaf) for leaf in jax.tree.leaves(over)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"stacked: got arrays of {sorted(lengths)} layers, wanted one number of layers, at least 1; "
            "give one entry a layer"
        )
    (n,) = lengths

    def scan(way: Callable[..., Any], reverse: bool = False):
        """A point through all layers: `way: layer -> ((params, key, x, cond) -> (x, weight))`."""

        def run(params, key, x, cond=None):
            def one(x, at):
                entry, params, key = at
                return way(layer(entry))(params, key, x, cond)

            keys = jax.random.split(key, n)
            x, weights = jax.lax.scan(one, x, (over, params, keys), reverse=reverse)
            return x, weights.sum()

        return run

    def init(key):
        return jax.lax.map(lambda at: layer(at[0]).init(at[1]), (over, jax.random.split(key, n)))

    def forward(params, key, z, cond=None):
        return scan(lambda step: lambda *at: (step.forward(*at), 0.0))(params, key, z, cond)[0]

    claim: Any = layer(jax.tree.map(lambda leaf: leaf[0], over)).inverse
    back = scan(lambda step: step.inverse.fn, reverse=True)
    inverse: Any = claim if claim is None else type(claim)(back)
    joint = scan(carried) if type(claim) is Exact else None
    return Transform(init, forward, inverse, joint)
