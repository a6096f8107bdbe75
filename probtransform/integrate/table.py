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
    point: `[R, 2 + K]`, the next point as a sum of base, point and the last K predictions.
    base:  `[R, 2 + K]`, the next base, likewise: where the step began, until it is done. None where every
           call is a step: then base is point, and `point` is `[R, 1 + K]`.
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
    return narrow(Table(rates.t, read, point, base, noise, np.float64(start)))


def narrow(table: Table) -> Table:
    """The same table without what is nowhere used: a base that is the point, old predictions, noise."""
    point, base, noise = table.point, table.base, table.noise
    used = np.flatnonzero(np.any(point, 0) | np.any(base, 0))
    width = max(3, 1 + int(used.max()))
    point, base = point[:, :width], base[:, :width]
    if np.array_equal(point, base):
        point, base = np.concatenate([point[:, :1] + point[:, 1:2], point[:, 2:]], 1), None
    return table._replace(point=point, base=base, noise=noise if noise.any() else None)


def wide(table: Table) -> Table:
    """The same table with a base, `PAST` predictions and noise, whether it needs them or not."""
    point, base = table.point, table.base
    if base is None:
        point = np.concatenate([np.zeros_like(point[:, :1]), point], 1)
        base = point
    room = ((0, 0), (0, 2 + PAST - point.shape[1]))
    noise = np.zeros((len(point), 2)) if table.noise is None else table.noise
    return table._replace(point=np.pad(point, room), base=np.pad(base, room), noise=noise)


def alike(*tables: Table) -> tuple[Table, ...]:
    """The tables in one form, so that one program serves all of them, or all at once where they are as long.

    Example: `jax.tree.map(lambda *a: np.stack(a), *alike(ddim(...), unipc(...)))` under vmap.
    """
    full = [wide(table) for table in tables]
    if not any(table.noise.any() for table in full):
        full = [table._replace(noise=None) for table in full]
    return tuple(full)


def joined(first: Table, second: Table, order) -> Table:
    """The rows of both, in this order of their numbers from `0` on, those of the second after the first's."""
    parts = [
        np.concatenate(pair)[order]
        for pair in zip(wide(first)[:-1], wide(second)[:-1], strict=True)
    ]
    return narrow(Table(*parts, first.start))  # type: ignore[call-arg]


def denoised(table: Table, path: Path, predicts: str, t: float = 1.0) -> Table:
    """The table, and after it the data prediction at t: one call takes away what is left of the noise."""
    last = Row(at(path, t), "data", (0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
    return joined(table, tabulated([last], predicts, 0.0), np.arange(len(table.t) + 1))


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
    staged = table.base is not None
    kept = table.point.shape[1] - 2 - staged  # predictions that outlive their row
    table = table if staged or kept else folded(table)
    table = jax.tree.map(lambda c: jnp.asarray(c, z.dtype), table)
    x = table.start * z

    @jax.checkpoint
    def step(carry, row):
        *base, point = carry[0]
        prediction = field(point, row.t)
        if row.read is not None:
            prediction = row.read[0] * point + row.read[1] * prediction
        past = (prediction, *carry[1])
        parts = (*base, point, *past)
        ends = [total(sums, parts) for sums in (row.base, row.point) if sums is not None]
        key = carry[2]
        if row.noise is not None:
            key, draw = jax.random.split(key)
            noise = jax.random.normal(draw, x.shape, x.dtype)
            sizes = row.noise[staged::-1]
            ends = [end + size * noise for end, size in zip(ends, sizes, strict=True)]
        return (tuple(ends), past[:kept], key), None

    carry = ((x,) * (1 + staged), (jnp.zeros_like(x),) * kept, key)
    return jax.lax.scan(step, carry, table._replace(start=None))[0][0][-1]


def folded(table: Table) -> Table:
    """A table of calls that remember nothing, without `read`: the next point is `a x + b output`."""
    (p, q), (a, b) = table.read.T, table.point.T
    return table._replace(read=None, point=(a + b * p, b * q))


def total(weights, parts):
    return sum(w * part for w, part in zip(weights, parts, strict=True))
