"""Forgetting half of a draw, and guessing it on the way back: what every latent variable is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..core import Bound, Density, Distribution, join
from .tempered import lacking

Guess = Callable[..., Any]  # (params, key, v, cond) -> (h, log q(h|v)), and sees all blocks


def forgetting(base: Distribution[Any], guess: Guess) -> Distribution[Density]:
    """The law of v where `base` draws pairs (v, h): `log p(v) >= E_q[log p(v, h) - log q(h|v)]`.

    `guess(params, key, v, cond) -> (h, log q(h|v))` is a draw of q, which may read any block: the machine's
    own, where it is mean field, or one for itself. The nearer q to p(h|v), the tighter. Claim: Bound of a
    base that is Exact, which importance weights sharpen; of an Unnormalized one a bound up to its constant,
    with the ladder there if the base is `Tempered`.

    Example: pairs `(u8[64], u8[16])` become `u8[64]`. Nielsen et al. (2020), arXiv:2007.02731 (slicing).
    """

    def sample(params, key, cond=None):
        return base.sample(params, key, cond)[0]

    def log_density(params, key, v, cond=None):
        first, second = jax.random.split(key)
        h, log_q = guess(params, first, v, cond)
        return base.density.fn(params, second, (v, h), cond) - log_q

    claim = join(type(base.density), Bound)
    return Distribution(base.init, sample, lacking(claim(log_density), base))
