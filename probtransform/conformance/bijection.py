"""What an exact bijection promises: round trips, weights against both Jacobians, mass one."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ..core.distribution import carried
from .report import Finding, gap, off
from .ways import any_key, doubled, mapped, ways_of


def keyless(transform, params, cond, z):
    @jax.jit
    def both(key):
        x = transform.forward(params, key, z, cond)
        return x, transform.inverse.fn(params, key, x, cond)

    number = gap(both(jax.random.key(1)), both(jax.random.key(2)))
    return {
        "the key ignored": Finding(
            number, 0, "another key gives another value: an exact bijection draws no noise"
        )
    }


def precise(transform, params, cond, z, x, tolerance):
    """Round trips and weights in both precisions, at points `z` and their single-precision images `x`."""

    def ways(params, cond, z, x):
        there, on_the_way = carried(transform)(params, any_key(), z, cond)
        image = transform.forward(params, any_key(), z, cond)
        back, weight = transform.inverse.fn(params, any_key(), image, cond)
        source, weight_x = transform.inverse.fn(params, any_key(), x, cond)
        return {
            "image": image,
            "back": back,
            "weight": weight,
            "joint": (there, on_the_way),
            "again": transform.forward(params, any_key(), source, cond),
            "weight_x": weight_x,
        }

    def jacobians(params, cond, z):
        image = transform.forward(params, any_key(), z, cond)
        d = z.size
        out = jax.jacfwd(lambda z: transform.forward(params, any_key(), z, cond))(z).reshape(d, d)
        home = jax.jacfwd(lambda x: transform.inverse.fn(params, any_key(), x, cond)[0])(
            image
        ).reshape(d, d)
        return jnp.linalg.slogdet(out), jnp.linalg.slogdet(home)

    everywhere = (None, None, 0, 0)
    single = jax.jit(jax.vmap(ways, everywhere))(params, cond, z, x)
    with jax.enable_x64(True):
        inputs = jax.tree.map(doubled, (params, cond, z, x))
        double = jax.jit(jax.vmap(ways, everywhere))(*inputs)
        (sign, out), (_, home) = jax.jit(jax.vmap(jacobians, everywhere[:3]))(*inputs[:3])
        double, sign, out, home = jax.tree.map(np.asarray, (double, sign, out, home))

    def round_trip(seen):
        return max(gap(seen["back"], z), gap(seen["again"], x))

    def rows(a, b):
        return off(a, b).reshape(len(z), -1).max(1)

    away = np.maximum(rows(single["back"], z), rows(single["again"], x))
    astray = float((~(away <= max(1e-4, tolerance))).mean())
    weights = [(seen["joint"][1], seen["weight_x"]) for seen in (single, double)]
    rounding = max(float(np.max(abs(a - b))) for a, b in zip(*weights, strict=True)) / z[0].size
    close = max(1e-8, tolerance)
    return {
        "one to one": Finding(
            float(min((sign > 0).sum(), (sign <= 0).sum()) + (~np.isfinite(out)).sum()),
            0,
            "the Jacobian changes sign or is singular: the map folds, two points share an image",
        ),
        "round trip": Finding(
            round_trip(double),
            tolerance,
            "the inverse does not undo the map in double precision; undo its steps in reverse order, with "
            "the same parameters",
        ),
        "round trip, float32": Finding(
            astray, 1e-3, "share of points not back within 1e-4: rounding is amplified"
        ),
        "weight": Finding(gap(double["weight"], -out), close, fault(double["weight"], -out)),
        "weight, of the inverse": Finding(
            gap(double["weight"], home), close, fault(double["weight"], home)
        ),
        "joint": Finding(
            gap(double["joint"], (double["image"], double["weight"])),
            close,
            "`joint` disagrees with `forward` and `inverse`",
        ),
        "weight, float32": Finding(
            rounding,
            max(1e-4, tolerance),
            "per dimension, against float64: something cancels in float32",
        ),
    }


def fault(weight, wanted) -> str:
    """The sentence for a weight that is not minus the log-determinant: what it looks like."""
    error = np.asarray(weight) - np.asarray(wanted)
    if np.allclose(weight, -wanted, atol=1e-6):
        return "the weight has the wrong sign; it is minus the log-determinant of the forward map"
    if np.allclose(weight, 0):
        return "the weight is zero everywhere: the log-determinant is missing"
    if np.ptp(error) < 1e-6:
        return (
            f"the weight is {error[0]:.3g} off at every point: a constant factor of the slope too many "
            "or too few, such as a second division by a width"
        )
    return (
        f"the weight is off by {error.min():.3g} to {error.max():.3g}: a term of the log-determinant is "
        "missing or wrong"
    )


def massive(transform, params, cond, far, tolerance, cells: int = 400):
    """`integral of p(x) dx` in the plane, `p` the push of N(0, I), by a sum over 400 x 400 cells.

    A quarter as many cells tell how far the sum itself can be trusted: steep maps have thin ridges.
    """
    with jax.enable_x64(True):
        params, cond = jax.tree.map(doubled, (params, cond))
        z = jnp.asarray(np.random.default_rng(2).standard_normal((4000, 2)))
        x = jax.jit(partial(mapped, ways_of(transform)["forward"]))(params, cond, z)
        low, high = np.asarray(x.min(0)), np.asarray(x.max(0))
        low, high = low - 0.5 * (high - low), high + 0.5 * (high - low)
        low, high = np.maximum(low, -far), np.minimum(high, far)

        def nats(x):
            z, weight = transform.inverse.fn(params, any_key(), x, cond)
            return weight - (z**2).sum() / 2 - math.log(2 * math.pi)

        rows = jax.jit(lambda grid: jax.lax.map(jax.vmap(nats), grid))

        def total(cells):
            step = (high - low) / cells
            axes = [low[i] + step[i] * (np.arange(cells) + 0.5) for i in range(2)]
            grid = jnp.asarray(np.stack(np.meshgrid(*axes), -1).reshape(20, -1, 2))
            return float(np.exp(np.asarray(rows(grid))).sum() * step.prod())

        coarse, mass = total(cells // 2), total(cells)
    return {
        "mass one": Finding(
            abs(mass - 1),
            max(1e-3, tolerance, min(0.02, abs(mass - coarse))),
            f"the push of a normal has mass {mass:.4f} instead of one",
        )
    }
