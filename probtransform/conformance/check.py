"""The conformance suite: what a transform promises by its claim, checked in one call."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import Exact, Transform
from .bijection import keyless, massive, precise
from .kernel import alone, finite, starting
from .report import Report
from .ways import is_real, mapped, shaken, ways_of


def check_transform(
    transform: Transform[Any],
    z,
    cond=None,
    *,
    params=None,
    points: Any = 500,
    domain: tuple[float, float] = (1e4, 1e4),
    tolerance: float = 1e-9,
    raises: bool = True,
) -> Report:
    """Check what the claim of `transform` promises; a deterministic map of reals to as many, if Exact.

    z:         ONE example `f32[*event]`: its shape and kind of number.
    cond:      one condition, for all points alike.
    params:    those to look at; left out, `init` moved by noise, where nothing is zero by accident.
    points:    how many to draw in the box of three deviations, or the points, `f32[n, *event]`.
    domain:    how far from zero `z`, and `x`, may lie: there and at 0 all gradients must be finite.
    tolerance: of a round trip in double precision; that of a solver where one is involved.

    Exact: round trips, weights against both Jacobians, single against double precision, mass one in
    the plane. Any claim, and none: finite values and gradients, compiled and mapped as alone, the
    parameters used and drawn from their key.
    Raises ValueError that lists what failed, unless `raises=False`.
    """
    z = jnp.asarray(z)
    if isinstance(points, int):
        reach = min(3.0, domain[0])
        points = np.random.default_rng(0).uniform(-reach, reach, (points, *z.shape))
    points = jnp.asarray(points, z.dtype)
    findings = starting(transform, points, cond)
    params = shaken(transform.init(jax.random.key(0))) if params is None else params
    ways = ways_of(transform)
    x = jax.jit(partial(mapped, ways["forward"]))(params, cond, points)
    with jax.enable_x64(True):
        findings |= alone(ways, params, cond, {"forward": points, "joint": points, "inverse": x})
    if type(transform.inverse) is Exact and is_real(z):
        if x[0].size != z.size:
            raise ValueError(
                f"check_transform: got an Exact map of {z.size} numbers to {x[0].size}, wanted as many on "
                "either side; claim Bound, or None"
            )
        findings |= keyless(transform, params, cond, points[0])
        findings |= precise(transform, params, cond, points, x, tolerance)
        if z.shape == x[0].shape == (2,):
            findings |= massive(transform, params, cond, domain[1], tolerance)
    if is_real(z):
        ends = {"forward": (points, domain[0]), "joint": (points, domain[0])}
        findings |= finite(ways, params, cond, ends | {"inverse": (x, domain[1])})
    report = Report(findings)
    if raises and not report.passed:
        raise ValueError(f"check_transform: a promise is broken\n{Report(report.failed)}")
    return report
