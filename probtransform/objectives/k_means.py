"""Online k-means: codes that follow the running means of what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Running(NamedTuple):
    """What runs on from batch to batch, all short of their limit by the factor `seen`.

    seen:  `1 - decay^t` after t batches.
    count: `[depth, levels]`, how many vectors a code stands for in a batch.
    total: `[depth, levels, size]`, the sum of those.
    """

    seen: Any
    count: Any
    total: Any


class KMeans(NamedTuple):
    """init: `() -> Running`.
    loss: `(codes, running, key, z, symbols) -> (scalar, running)` for `codes: [depth, levels, size]`, vectors
    `z: [n, size]` and `symbols: [n, depth]`."""

    init: Callable[..., Any]
    loss: Callable[..., Any]


def k_means(
    levels: int, size: int, depth: int = 1, decay: float = 0.99, least: float = 0.03
) -> KMeans:
    """`sum_k |e_k - m_k|^2 / 2` with `m_k = total_k / count_k`, held still: descent to running means.

    `count <- decay count + (1 - decay) n_k`, and `total` likewise with the sum of the vectors whose symbol is
    k, or of what of them the books before have left. A step of plain descent with rate one is the EMA of van
    den Oord et al. (2017), arXiv:1711.00937, appendix A.1, and with decay zero k-means on the batch; any
    other optimiser follows the same means at its own pace. So codes remain parameters, moved by a player as
    all others are, and saved, averaged and sampled from with them: what is carried is only what a mean needs
    to run. A code that stands for less than `least` of its even share starts anew at one of the vectors.

    Restarts: Dhariwal et al. (2020), arXiv:2005.00341. Raises ValueError unless 0 <= decay < 1 and
    0 < least < 1.
    """
    if not 0 <= decay < 1:
        raise ValueError(f"k_means: got decay={decay}, wanted a number in [0, 1); pass 0.99")
    if not 0 < least < 1:  # at zero the mean of a code out of use is 0/0
        raise ValueError(f"k_means: got least={least}, wanted a number in (0, 1); pass 0.03")

    def init():
        zeros = jnp.zeros((depth, levels, size))
        return Running(jnp.zeros(()), zeros[..., 0], zeros)

    def loss(codes, running, key, z, symbols):
        codes_now, z = jax.lax.stop_gradient((codes, z))
        used = codes_now[jnp.arange(depth), symbols]  # [n, depth, size]
        left = z[:, None] - jnp.cumsum(used, 1) + used
        chosen = jax.nn.one_hot(symbols, levels)
        seen = decay * running.seen + 1 - decay
        count = decay * running.count + (1 - decay) * chosen.sum(0)
        total = decay * running.total + (1 - decay) * jnp.einsum("ndk,nds->dks", chosen, left)
        even = seen * len(z) / levels
        dead = count < least * even
        rows = jax.random.randint(key, (depth, levels), 0, len(z))
        fresh = left[rows, jnp.arange(depth)[:, None]]
        count = jnp.where(dead, even, count)
        total = jnp.where(dead[..., None], even * fresh, total)
        mean = total / count[..., None]
        return jnp.sum((codes - mean) ** 2) / 2, Running(seen, count, total)

    return KMeans(init, loss)
