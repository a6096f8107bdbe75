"""What a draw was on its way from base to data, seen as points in the plane or as images."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import numpy as np

from ..core import Distribution, Event
from ..core.distribution import stages_of

SOME = 64  # draws in one program


def named_stages(distribution: Distribution[Any], params, key, count: int, cond=None):
    """`(names, stages)`: `stages[i]: [count, ...]` is what block `names[i]` made; the first is the base.

    The draws are those of `sample_many`. Steps that only reshape are left out, and so are symbols on
    the way: the next step spreads them over their cells.
    Example: a VAE of the plane has names `["base", "decoder"]`.
    """
    stages = carried(distribution, params, key, np.arange(count), cond)
    blocks: list[str] = []
    jax.eval_shape(lambda k: blocks.extend(distribution.init(k)), jax.random.key(0))
    names = ["base", *blocks]
    if len(names) != len(stages):  # a block may serve several steps, or none
        names = ["base", *(f"step {i}" for i in range(1, len(stages)))]
    last = len(stages) - 1
    moved = [0] + [
        i
        for i in range(1, last + 1)
        if not same(stages[i - 1], stages[i]) and (i == last or stages[i].dtype.kind == "f")
    ]
    return [names[i] for i in moved], [stages[i] for i in moved]


def carried(distribution: Distribution[Any], params, key, draws, cond=None, z=None):
    """The stages `[[count, ...], ...]` of the draws numbered `draws: [count]`, from their base, or from `z`.

    One program of `SOME` draws serves every count, the base draws and those that a picture chose alike.
    """
    stages = stages_of(distribution)
    if z is None:
        z = by_some(bases, stages, params, key, draws, cond)
    return by_some(journeys, stages, params, key, draws, cond, z)


def samples(distribution: Distribution[Any], params, key, count: int, cond=None) -> np.ndarray:
    """The draws of `sample_many`, by the program that every other picture needs too."""
    return carried(distribution, params, key, np.arange(count), cond)[-1]


def by_some(fn, stages, params, key, draws, *inputs):
    parts = []
    for start in range(0, len(draws), SOME):
        rows = np.minimum(np.arange(start, start + SOME), len(draws) - 1)
        picked = jax.tree.map(lambda leaf: np.asarray(leaf)[rows], (draws, *inputs))
        parts.append(jax.device_get(fn(stages, params, key, *picked)))
    return jax.tree.map(lambda *each: np.concatenate(each)[: len(draws)], *parts)


@partial(jax.jit, static_argnums=0)
def bases(stages, params, key, draws, cond):
    keys = jax.vmap(partial(jax.random.fold_in, key))(draws)
    return jax.vmap(lambda k, c: stages(params, k, c)[0])(keys, cond)


@partial(jax.jit, static_argnums=0)
def journeys(stages, params, key, draws, cond, z):
    keys = jax.vmap(partial(jax.random.fold_in, key))(draws)
    return jax.vmap(lambda k, c, at: stages(params, k, c, at))(keys, cond, z)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and np.array_equal(a.ravel(), b.ravel(), equal_nan=a.dtype.kind == "f")


def cloud(stages, real=None) -> list[np.ndarray]:
    """Every stage as points `[n, 2]`.

    Vectors of two numbers are themselves. Longer ones are seen along two orthonormal directions: data
    along the principal axes of `real` (of the samples, without), a latent along those that predict
    the data best by least squares, so that a normal base is seen as a normal base.
    """
    flat = [np.asarray(z, float).reshape(len(z), -1) for z in stages]
    end = flat[-1]
    about = end if real is None else np.asarray(real, float).reshape(len(real), -1)
    mean, axes = principal_axes(about)
    last = (end - mean) @ axes
    out = []
    for z in flat:
        if z.shape[1] == end.shape[1]:
            out.append((z - mean * (z is end)) @ axes if end.shape[1] > 2 else z @ axes)
        else:
            out.append(z @ predictors(z, last))
    return [np.pad(z, ((0, 0), (0, max(0, 2 - z.shape[1])))) for z in out]


def principal_axes(x: np.ndarray) -> tuple[Any, np.ndarray]:
    """The mean and the two directions of largest variance; the plane and the line stay as they are."""
    if x.shape[1] <= 2:
        return 0.0, np.eye(x.shape[1])
    x = x[np.isfinite(x).all(1)]
    mean = x.mean(0) if len(x) else np.zeros(x.shape[1])
    return mean, np.linalg.eigh((x - mean).T @ (x - mean))[1][:, :-3:-1]


def predictors(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Orthonormal directions `[d, k]` nearest to the least-squares map of `z: [n, d]` to `x: [n, k]`."""
    whole = np.isfinite(z).all(1) & np.isfinite(x).all(1)
    z, x = z[whole], x[whole]
    slope = (
        np.linalg.lstsq(z - z.mean(0), x - x.mean(0), rcond=None)[0]
        if len(z)
        else np.eye(z.shape[1], x.shape[1])
    )
    u, _, v = np.linalg.svd(slope, full_matrices=False)
    return u @ v


def lights(stages, event: Event) -> list[np.ndarray]:
    """Every stage as images `[n, height, width, channels]` of brightness in [0, 1].

    Reals are shown from -1 (dark) to 1, levels from the first to the last. A stage of another size
    fills a square, enlarged to the image's size.
    """
    return [light(z, event) for z in stages]


def light(z: np.ndarray, event: Event) -> np.ndarray:
    height, width, channels = event.shape
    top = (event.levels or 256) - 1
    bright = (z + 1) / 2 if z.dtype.kind == "f" else z / top
    bright = np.clip(np.nan_to_num(bright), 0, 1).reshape(len(z), -1)
    if bright.shape[1] == math.prod(event.shape):
        return bright.reshape(len(z), *event.shape)
    side = math.isqrt(bright.shape[1] - 1) + 1
    padded = np.pad(bright, ((0, 0), (0, side * side - bright.shape[1])), constant_values=1.0)
    rows, columns = (np.arange(n) * side // n for n in (height, width))
    small = padded.reshape(len(z), side, side)[:, rows][:, :, columns]
    return np.repeat(small[..., None], channels, -1)
