"""Depth at the memory of one layer: what a gradient needs is computed again, from the inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.distribution import carried
from .stacked import stacked


def reversible(layer: Callable[[Any], Transform[Exact]], over: Any) -> Transform[Exact]:
    """The transform `stacked(layer, over)`, whose gradients keep no activation of any layer.

    Back-propagation undoes layer after layer: the inverse gives each the input it had, so that memory
    does not grow with depth, for one more pass through the layers. The inverse's rounding enters the
    gradient, and there is reverse mode only (`grad`, `vjp`).

    Example: as of `stacked`. Gomez et al. (2017), arXiv:1707.04585.
    """

    def out(entry):
        return carried(layer(entry))

    def home(entry):
        return layer(entry).inverse.fn

    joint = undoing(out, home, over, reverse=False)
    inverse = undoing(home, out, over, reverse=True)

    def forward(params, key, z, cond=None):
        return joint(params, key, z, cond)[0]

    return Transform(stacked(layer, over).init, forward, Exact(inverse), joint)


def undoing(way, undo, over, reverse: bool):
    """`(params, key, x, cond) -> (y, weight)`: all `way(entry)` in turn, each undone for its gradient."""
    one = with_gradient(way, undo, over, reverse, lambda f, out_axes=0: f)
    many = with_gradient(way, undo, over, reverse, jax.vmap)
    mapped = jax.custom_batching.custom_vmap(one)

    @mapped.def_vmap
    def _(count, batched, params, *rest):
        if any(jax.tree.leaves(batched[0])):  # a network for every example
            axes = jax.tree.map(lambda b: 0 if b else None, tuple(batched))
            return jax.vmap(one, axes)(params, *rest), (True, True)
        rest = jax.tree.map(
            lambda leaf, b: leaf if b else jnp.broadcast_to(leaf, (count, *leaf.shape)),
            rest,
            tuple(batched[1:]),
        )
        return many(params, *rest), (True, True)

    def run(params, key, x, cond=None):
        # A mapped gradient of `one` makes the cotangents of shared parameters for each example and
        # then adds them up; `many` adds layer by layer. Both are right wherever they are used.
        in_batch = type(x).__name__ == "BatchTracer"  # which JAX does not export
        return (mapped if in_batch else one)(params, key, x, cond)

    return run


def with_gradient(way, undo, over, reverse: bool, lift):
    """All layers for one example or, with `lift = vmap`, for a batch that shares the parameters."""

    def layers(params, key):
        n = len(jax.tree.leaves(over)[0])
        return over, params, lift(lambda k: jax.random.split(k, n), out_axes=1)(key)

    @jax.custom_vjp
    def run(params, key, x, cond):
        def layer(x, at):
            entry, params, key = at
            return lift(lambda k, x, c: way(entry)(params, k, x, c))(key, x, cond)

        y, weights = jax.lax.scan(layer, x, layers(params, key), reverse=reverse)
        return y, weights.sum(0)

    def kept(params, key, x, cond):
        y, weight = run(params, key, x, cond)
        return (y, weight), (params, key, cond, y)

    def gradient(kept, slopes):
        params, key, cond, y = kept
        moving, fixed = apart(cond)

        def layer(carry, at):
            y, d_y, d_cond = carry
            entry, params, key = at

            def done(params, x, moving):
                def each(k, x, m, f):
                    return way(entry)(params, k, x, joined(m, f))

                return lift(each)(key, x, moving, fixed)

            x = lift(lambda k, y, c: undo(entry)(params, k, y, c)[0])(key, y, cond)
            d_params, d_x, more = jax.vjp(done, params, x, moving)[1]((d_y, slopes[1]))
            return (x, d_x, jax.tree.map(jnp.add, d_cond, more)), d_params

        start = y, slopes[0], jax.tree.map(jnp.zeros_like, moving)
        end, d_params = jax.lax.scan(layer, start, layers(params, key), reverse=not reverse)
        return d_params, None, end[1], end[2]

    run.defvjp(kept, gradient)
    return run


def apart(cond):
    """Of a condition the real numbers, which have a gradient, and the rest; None where it is the other's."""
    real = jax.tree.map(lambda c: jnp.issubdtype(jnp.result_type(c), jnp.floating), cond)
    return (
        jax.tree.map(lambda c, is_real: c if is_real is wanted else None, cond, real)
        for wanted in (True, False)
    )


def joined(moving, fixed):
    return jax.tree.map(
        lambda m, f: f if m is None else m, moving, fixed, is_leaf=lambda leaf: leaf is None
    )
