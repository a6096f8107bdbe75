"""A sampler is a table, one row for every call of the network, and this is the loop that reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..paths import Path, Rates, at, views

PAST = 4  # predictions that a row may weigh, the newest first


class Table(NamedTuple):
    """Coefficients of R rows; made on the host in double precision, read in that of the state.

    t:     `[R]`, where the network is called, at `point`.
    read:  `[R, 2]`, its output as what the sampler weighs: `p point + q output`.
    point: `[R, 2 + PAST]`, the next point as a sum of base, point and the last predictions.
    base:  `[R, 2 + PAST]`, the next base, likewise: where the step began, until it is done.
    noise: `[R, 2]` of the one normal draw of the row in point and base; None in a table without noise.
    start: the scale of the first state, `sigma(0)`.
    """

    t: Any
    read: Any
    point: Any
    base: Any
    noise: Any
    start: Any


class Row(NamedTuple):
    """One call: where, what is read there, and sums over `(base, point, newest, second newest, ...)`."""

    at: Rates
    reads: Any
    point: Sequence[float]
    base: Sequence[float]
    noise: tuple[float, float] = (0.0, 0.0)


def tabulated(rows: Sequence[Row], predicts: str, start) -> Table:
    """The table of these rows for a network that predicts noise, data, v, score or velocity.

    Raises ValueError where its output does not tell what a row reads.
    """
    rates = Rates(*(np.array(rate) for rate in zip(*(row.at for row in rows), strict=True)))
    wanted = [views.row(row.reads, row.at) for row in rows]
    p, q = views.finite(rates, predicts, tuple(np.transpose(wanted)))
    same = np.array([row.reads == predicts for row in rows])
    read = np.stack([np.where(same, 0.0, p), np.where(same, 1.0, q)], 1)
    point, base = (np.array([padded(getattr(row, n)) for row in rows]) for n in ("point", "base"))
    noise = np.array([row.noise for row in rows])
    for row, sums in zip(rows, point, strict=True):
        if not np.isfinite(sums).all():
            raise ValueError(
                f"sampler: got a step from t = {row.at.t:g} that has no finite size (alpha or sigma is 0 "
                "there), wanted a time inside; begin or end a little further in"
            )
    return Table(rates.t, read, point, base, noise if noise.any() else None, np.float64(start))


def denoised(table: Table, path: Path, predicts: str, t: float = 1.0) -> Table:
    """The table, and after it the data prediction at t: one call takes away what is left of the noise."""
    rates = at(path, t)
    last = tabulated([Row(rates, "data", (0.0, 0.0, 1.0), (0.0, 0.0, 1.0))], predicts, 0.0)
    noise = None if table.noise is None else np.concatenate([table.noise, np.zeros((1, 2))])
    joined = [np.concatenate(pair) for pair in zip(table[:4], last[:4], strict=True)]
    return Table(*joined, noise, table.start)  # type: ignore[call-arg]


def padded(weights: Sequence[float]) -> np.ndarray:
    return np.concatenate([weights, np.zeros(2 + PAST - len(weights))])


def run(table: Table, field: Callable[..., Any], z, key=None):
    """Carry `z ~ N(0, I)` along the table: `x: f32[*event]`, of one example.

    `field(x, t)` is the network's output. Every row is rematerialised, so that a gradient keeps one
    state a row. A table with noise needs a key. Vmapped over z, over keys, or over tables.

    Example: `run(heun(linear(), uniform(8), "velocity"), lambda x, t: 0 * x, z)` is z.
    """
    if table.noise is not None and key is None:
        raise ValueError("run: got no key, wanted one for a table with noise; pass a key")
    table = jax.tree.map(lambda c: jnp.asarray(c, z.dtype), table)
    x = table.start * z

    @jax.checkpoint
    def step(carry, row):
        base, point, past, key = carry
        output = field(point, row.t)
        past = (row.read[0] * point + row.read[1] * output, *past[:-1])

        def total(weights):
            return sum(w * part for w, part in zip(weights, (base, point, *past), strict=True))

        ends = total(row.base), total(row.point)
        if row.noise is not None:
            key, draw = jax.random.split(key)
            noise = jax.random.normal(draw, x.shape, x.dtype)
            ends = ends[0] + row.noise[1] * noise, ends[1] + row.noise[0] * noise
        return (*ends, past, key), None

    carry = (x, x, (jnp.zeros_like(x),) * PAST, key)
    return jax.lax.scan(step, carry, table._replace(start=None))[0][1]
