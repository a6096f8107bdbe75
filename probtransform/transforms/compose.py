"""Transforms one after another, as one."""

from __future__ import annotations

from typing import Any

import jax

from ..core import Exact, Transform
from ..core.distribution import carried


def compose(**steps: Transform[Exact]) -> Transform[Exact]:
    """`x = f_n(... f_1(z))`, left to right, each step a block of its own; weights add.

    What `pushforward` does to a distribution, for exact maps alone: a layer that `stacked` repeats.

    Example: `compose(norm=actnorm((2,)), mix=lu(2))` maps `f32[2]` to `f32[2]`.
    """

    def at(key):
        return dict(zip(steps, jax.random.split(key, len(steps)), strict=True))

    def init(key):
        keys = at(key)
        return {name: step.init(keys[name]) for name, step in steps.items()}

    def through(ways: dict[str, Any], params, key, x, cond):
        keys, total = at(key), 0.0
        for name, way in ways.items():
            x, weight = way(params[name], keys[name], x, cond)
            total = total + weight
        return x, total

    def joint(params, key, z, cond=None):
        return through({name: carried(step) for name, step in steps.items()}, params, key, z, cond)

    def forward(params, key, z, cond=None):
        keys = at(key)
        for name, step in steps.items():
            z = step.forward(params[name], keys[name], z, cond)
        return z

    def inverse(params, key, x, cond=None):
        back = {name: steps[name].inverse.fn for name in reversed(steps)}
        return through(back, params, key, x, cond)

    return Transform(init, forward, Exact(inverse), joint)
