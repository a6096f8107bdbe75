"""Ways from noise to data over symbols: what an entry does next, given what is believed of its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from ..paths.discrete import DiscretePath, normalised

EARLY = 1e-9  # the share of data below which rates grow no more


class Jumps(NamedTuple):
    """A Markov process along a path, entry by entry, for any belief in the data.

    step:  `(law, x_t, t, s) -> f32[d, S]`, the law of x_s, s > t, given `x_t: i32[d]`.
    rates: `(law, x_t, t) -> f32[d, S]`, jumps a unit of time to each other state, 0 at x_t itself.

    With `law = delta_x` both keep `q(x_t | x)`: the marginals at t are carried to those at s. With a belief
    they are the mean of that under `p(x | x_t)`: what a network samples by.
    """

    step: Callable[..., Any]
    rates: Callable[..., Any]


def reversal(path: DiscretePath) -> Jumps:
    """The noising run backwards: while t falls, noise replaces every entry at the rate `kappa' / kappa`.

    `q(x_s | x_t, x) = q(x_t | x_s) q(x_s | x) / q(x_t | x)`, by Bayes. Austin et al. (2021),
    arXiv:2107.03006; Campbell et al. (2022), arXiv:2205.14987; Lou et al. (2023), arXiv:2310.16834.
    """

    def step(law, x_t, t, s):
        held = path.kappa(t) / path.kappa(s)
        at = path.of_noise(law)[x_t][:, None]
        seen = held * same(path, x_t, law.dtype) + (1 - held) * at
        return normalised(seen * path.marginal(law, s))

    def rates(law, x_t, t):
        share, slope = path.rate(t)
        here = jnp.take_along_axis(path.marginal(law, t), x_t[:, None], -1)
        # the marginal over kappa, of which only the noise may be infinite, at t = 0
        ahead = wide(path, law) + (1 - share) / jnp.maximum(share, EARLY) * path.of_noise(law)
        return off(path, x_t, slope * path.of_noise(law)[x_t][:, None] * ahead / here)

    return Jumps(step, rates)


def holding(path: DiscretePath, noise: float = 0.0) -> Jumps:
    """Discrete flow matching: an entry stays as it is until it jumps to the data, at `kappa' / (1 - kappa)`.

    With `noise` c it is also replaced by a draw of the base, at `c kappa' / kappa`, and jumps to the data at
    `(1 + c) kappa' / (1 - kappa)`, which keeps the marginals: errors made early are mended. A step is that
    of the process itself, no Euler step: with `r = kappa(t) (1 - kappa(s)) / (kappa(s) (1 - kappa(t)))` it
    jumped last to the data with probability `kappa(s) (1 - r^(1+c))`, to noise with
    `(1 - kappa(s)) (1 - r^c)`, and otherwise stayed.

    Campbell et al. (2024), arXiv:2402.04997; Gat et al. (2024), arXiv:2407.15595.
    Raises ValueError if `noise` is negative.
    """
    if noise < 0:
        raise ValueError(f"holding: got noise={noise}, wanted 0 or more; change its sign")

    def step(law, x_t, t, s):
        early, late = path.kappa(t), path.kappa(s)
        r = early * (1 - late) / (late * (1 - early))
        to_data, to_noise = late * (1 - r ** (1 + noise)), (1 - late) * (1 - r**noise)
        away = to_data * wide(path, path.data(law, x_t, t)) + to_noise * path.of_noise(law)
        return away + (1 - to_data - to_noise) * same(path, x_t, law.dtype)

    def rates(law, x_t, t):
        share, slope = path.rate(t)
        to_data = (1 + noise) * slope / (1 - share)
        to_noise = noise * slope / jnp.maximum(share, EARLY)
        ahead = to_data * wide(path, path.data(law, x_t, t)) + to_noise * path.of_noise(law)
        return off(path, x_t, ahead)

    return Jumps(step, rates)


def euler(jumps: Jumps) -> Jumps:
    """Steps `delta + (s - t) rates`, cut where that is no law; the last, to t = 1, is the process's own."""

    def step(law, x_t, t, s):
        away = (s - t) * jumps.rates(law, x_t, t)
        away = away / jnp.maximum(away.sum(-1, keepdims=True), 1.0)
        here = jnp.arange(away.shape[-1]) == x_t[:, None]
        first = jnp.where(here, 1 - away.sum(-1, keepdims=True), away)
        return jnp.where(s < 1, first, jumps.step(law, x_t, t, s))

    return jumps._replace(step=step)


def same(path: DiscretePath, x_t, dtype):
    """`delta: f32[d, S]` at x_t, over all states."""
    return (jnp.arange(len(path.noise)) == x_t[:, None]).astype(dtype)


def off(path: DiscretePath, x_t, rates):
    return jnp.where(jnp.arange(len(path.noise)) == x_t[:, None], 0.0, rates)


def wide(path: DiscretePath, law):
    """A law of data over all states."""
    return jnp.pad(law, ((0, 0), (0, len(path.noise) - path.levels)))
