"""Paths of symbols: each entry is noise until it is data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import positive

LEAST = 1e-12  # of a belief: its square is still a float, and gradients divide by that


class DiscretePath(NamedTuple):
    """`q(x_t | x) = kappa(t) delta_x + (1 - kappa(t)) noise`, each entry by itself; noise at 0, data at 1.

    levels: K, data are symbols `0 .. K-1`.
    noise:  `f64[S]`, the law of an entry at t = 0, over states `0 .. S-1` with S >= K.
    kappa:  the share of data, a growing function of t with `kappa(0) = 0`, `kappa(1) = 1`.

    What is believed of an entry x is a law `f32[d, K]`: its delta if it is known, a network's softmax if not.
    """

    levels: int
    noise: Any
    kappa: Callable[..., Any]

    def rate(self, t):
        """kappa and its derivative."""
        t = jnp.asarray(t)
        return jax.jvp(self.kappa, (t,), (jnp.ones_like(t),))

    def known(self, x, dtype=None):
        """`delta_x: f32[d, K]` of symbols `i32[d]`."""
        return jax.nn.one_hot(x, self.levels, dtype=dtype)

    def marginal(self, law, t):
        """`sum_x law(x) q(x_t | x)`, over all states: `f32[d, S]`."""
        room = len(self.noise) - self.levels
        share = self.kappa(t)
        return share * jnp.pad(law, ((0, 0), (0, room))) + (1 - share) * self.of_noise(law)

    def point(self, key, x, t):
        """A draw of `x_t` given `x: i32[d]`."""
        first, second = jax.random.split(key)
        kept = jax.random.uniform(first, x.shape) < self.kappa(t)
        return jnp.where(
            kept, x, drawn(second, jnp.broadcast_to(self.noise, (len(x), self.noise.size)))
        )

    def data(self, law, x_t, t):
        """`p(x | x_t)` by Bayes, `law(x) q(x_t | x)` over its sum: the law knows all but its own x_t.

        Under masks an entry that shows is certain; under uniform noise it is believed the more, the later.
        """
        share = self.kappa(t)
        at = self.of_noise(law)[x_t][:, None]
        return normalised(law * (share * self.known(x_t, law.dtype) + (1 - share) * at))

    def of_noise(self, law):
        return jnp.asarray(self.noise, law.dtype)


def linear(t):
    """`kappa = t`."""
    return t


def cosine(t):
    """`kappa = 1 - cos(pi t / 2)`: slow at the base, where nothing is known yet.

    Chang et al. (2022), arXiv:2202.04200.
    """
    return 2 * jnp.sin(math.pi / 4 * t) ** 2


def polynomial(power: float) -> Callable[..., Any]:
    """`kappa = t^power`, slow at the base above 1. Gat et al. (2024), arXiv:2407.15595.

    Raises ValueError unless the power is positive.
    """
    if not power > 0:
        raise ValueError(f"polynomial: got power={power}, wanted more than 0; 1 is the linear path")
    return lambda t: t**power


def masked(levels: int, kappa: Callable[..., Any] = linear) -> DiscretePath:
    """Noise is one more symbol, `levels`, that hides the entry. Austin et al. (2021), arXiv:2107.03006."""
    positive("masked", levels=levels)
    return DiscretePath(levels, np.eye(levels + 1)[levels], kappa)


def uniform(levels: int, kappa: Callable[..., Any] = linear) -> DiscretePath:
    """Noise is any symbol, one as likely as another. Hoogeboom et al. (2021), arXiv:2102.05379."""
    positive("uniform", levels=levels)
    return DiscretePath(levels, np.full(levels, 1 / levels), kappa)


def believed(logits):
    """The law of logits `f32[d, K]`, nowhere zero."""
    return jnp.maximum(jax.nn.softmax(logits), LEAST)


def normalised(weights):
    """Rows over their sums; nothing, where a path never is."""
    total = weights.sum(-1, keepdims=True)
    return weights / jnp.where(total > 0, total, 1.0)


def drawn(key, probabilities):
    """A symbol of each row of `f32[d, S]`, whose sums need not be one: `i32[d]`, never one without mass."""
    rising = jnp.cumsum(probabilities, -1)
    at = jax.random.uniform(key, rising.shape[:-1], rising.dtype)[..., None] * rising[..., -1:]
    return jnp.sum(rising <= at, -1)
