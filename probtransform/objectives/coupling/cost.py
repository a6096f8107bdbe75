"""What pairing costs: distances between base draws and data, and what conditions add to them.

A cost is `(z, x, cond) -> f32[n, n]`, entry `[j, i]` for giving the draw z_i to the example x_j. A draw
is born with the condition of its place, `cond_i`, which is independent of it, as it is in sampling.

Why conditions must count: transport that ignores them gives examples on the left draws on the left. If
class 0 lies there, it learns from `p(z | class 0)`, half of the base, but is sampled from all of it.
Pairs within one class leave `p(z | class)` as it was.

Cheng & Schwing (2025), arXiv:2503.10636.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core import Maybe

Cost = Callable[[Any, Any, Any], Any]


def squared(z, x, cond=None):
    """The squared Euclidean distance `|z_i - x_j|^2`, for z and x `[n, *event]`.

    Raises ValueError if z and x differ in shape.
    """
    if jnp.shape(z) != jnp.shape(x) or jnp.ndim(x) < 1:
        raise ValueError(
            f"coupling: got base draws of shape {jnp.shape(z)} and data of shape {jnp.shape(x)}, wanted "
            "one shape [n, *event]; draw as many as there are examples"
        )
    return between(x.reshape(len(x), -1), z.reshape(len(z), -1))


def within_classes(z, x, cond):
    """`|z_i - x_j|^2` where `cond_i == cond_j`, infinite elsewhere: no pair leaves its class.

    `cond` is any pytree of discrete labels `[n, ...]`; absent ones (`Maybe`) are a class of their own.
    Raises ValueError if there is none.
    """
    label = table(cond)
    same = jnp.all(label[:, None] == label[None], -1)
    return jnp.where(same, squared(z, x), jnp.inf)


def conditioned(ratio: float) -> Cost:
    """`|z_i - x_j|^2 + w |cond_i - cond_j|^2`, for conditions that are vectors.

    The larger w, the less the base is skewed and the less is gained. It is found anew for every batch: a
    share `ratio` of the pairs costs less than the pair an example was born in, `[j, j]`. A pair does so
    while w is below `(|z_j - x_j|^2 - |z_i - x_j|^2) / |cond_i - cond_j|^2`, so w is a quantile of these.
    Towards `ratio = 0` every draw stays with its own condition; towards 1 conditions are ignored. The
    authors take the cosine distance of embeddings: normalise them, and half of this distance is it.
    Raises ValueError unless 0 < ratio < 1, or if there are no conditions.
    """
    if not 0 < ratio < 1:
        raise ValueError(
            f"conditioned: got ratio={ratio}, wanted a share between 0 and 1; pass 0.01, say"
        )

    def cost(z, x, cond):
        transport, label = squared(z, x), table(cond)
        apart = between(label, label)
        gain = jnp.diag(transport)[:, None] - transport
        worth = gain / jnp.where(apart > 0, apart, jnp.inf)  # nothing, between equal conditions
        return transport + upper_quantile(worth, ratio) * apart

    return cost


def upper_quantile(worth, ratio: float):
    """The w >= 0 that a share `ratio` of `worth` exceeds, by bisection: to sort n^2 takes far longer."""

    def halve(_, ends):
        low, high = ends
        w = (low + high) / 2
        more = jnp.mean(worth > w) > ratio
        return jnp.where(more, w, low), jnp.where(more, high, w)

    top = jnp.maximum(jnp.max(worth), 0)
    return jax.lax.fori_loop(0, 40, halve, (jnp.zeros_like(top), top))[1]


def between(a, b):
    """`|a_j - b_i|^2` for rows of `[n, k]`, free of cancellation far from the origin."""
    a, b = (v.astype(jnp.promote_types(v.dtype, jnp.float32)) for v in map(jnp.asarray, (a, b)))
    a, b = a - jnp.mean(a, 0), b - jnp.mean(a, 0)
    inner = jnp.matmul(a, b.T, precision=jax.lax.Precision.HIGHEST)
    return jnp.maximum(jnp.sum(a**2, 1)[:, None] + jnp.sum(b**2, 1) - 2 * inner, 0)


def table(cond):
    """Conditions as rows `[n, k]`. An absent one is zeros and a flag, whatever it hides."""
    if not jax.tree.leaves(cond):
        raise ValueError(
            "coupling: got no conditions, wanted one for each example; pass them in Batch.cond, or use the "
            "cost `squared`"
        )
    if isinstance(cond, Maybe):
        shown = jax.vmap(lambda v, p: jax.tree.map(lambda a: jnp.where(p, a, 0), v))
        cond = (shown(cond.value, cond.present), cond.present)
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(cond)]
    return jnp.concatenate([a.reshape(len(a), -1).astype(jnp.float32) for a in leaves], 1)
