"""Observation models: what a decoder's numbers say of each entry of the data.

Entries are laid out flat where they are computed: loops over a last axis of one channel would be too
short for vector instructions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ..core.check import example
from .softplus import softplus


class Observation(NamedTuple):
    """A family of distributions with independent entries, `size` numbers for a whole example.

    sample:   `(numbers, key) -> x`.
    log_prob: `(numbers, x) -> scalar`, in nats.
    """

    size: int
    sample: Callable
    log_prob: Callable


def gaussian(shape: tuple[int, ...]) -> Observation:
    """A mean and a log-scale for each entry, `N(mean, exp(2 log_scale))`, log_scale held in [-5, 3].

    A decoder without variance would have a likelihood without bound wherever its mean is right.
    """

    def read(numbers):
        mean, log_scale = jnp.split(numbers, 2)
        return mean, jnp.exp(jnp.clip(log_scale, -5.0, 3.0))

    def sample(numbers, key):
        mean, scale = read(numbers)
        return (mean + scale * jax.random.normal(key, mean.shape)).reshape(shape)

    def log_prob(numbers, x):
        example("gaussian observation", x, shape)
        return jax.scipy.stats.norm.logpdf(x.reshape(-1), *read(numbers)).sum()

    return Observation(2 * math.prod(shape), sample, log_prob)


def bernoulli(shape: tuple[int, ...]) -> Observation:
    """A coin for each entry of 0s and 1s: `log P(x) = sum x l - log(1 + exp l)`, one logit l an entry.

    In logarithms throughout: finite, and so are its gradients `x - sigmoid(l)`, for logits of any size.
    What is neither 0 nor 1 has no mass. Kingma & Welling (2013), arXiv:1312.6114, appendix C.1.
    """

    def sample(numbers, key):
        return (
            (jax.random.logistic(key, numbers.shape) < numbers).astype(integers(2)).reshape(shape)
        )

    def log_prob(numbers, x):
        example("bernoulli observation", x, shape, jnp.integer)
        x = x.reshape(-1)
        # the probability of what is there, sigmoid(l) or sigmoid(-l)
        nats = -softplus(jnp.where(x == 1, -numbers, numbers)).sum()
        return jnp.where(is_level(x, 2).all(), nats, -jnp.inf)

    return Observation(math.prod(shape), sample, log_prob)


def categorical(shape: tuple[int, ...], levels: int) -> Observation:
    """A probability for each level of each entry: `log softmax(numbers)[x]`; what is no level has no mass."""

    def sample(numbers, key):
        drawn = jax.random.categorical(key, numbers.reshape(*shape, levels))
        return drawn.astype(integers(levels))

    def log_prob(numbers, x):
        example("categorical observation", x, shape, jnp.integer)
        each, level = numbers.reshape(-1, levels), x.reshape(-1, 1).astype(jnp.int32)
        # picked before it is normalised: the gradient through log_softmax costs a fifth more
        picked = jnp.take_along_axis(each, level, -1, mode="clip").sum()
        nats = picked - jax.nn.logsumexp(each, -1).sum()
        return jnp.where(is_level(x, levels).all(), nats, -jnp.inf)

    return Observation(levels * math.prod(shape), sample, log_prob)


def discretized_logistic(shape: tuple[int, ...], levels: int) -> Observation:
    """The mass that a logistic puts on each level's cell, the outer cells reaching to infinity.

    `P(x) = sigmoid((x + 1/2 - m)/s) - sigmoid((x - 1/2 - m)/s)`, in units of one level, with a mean
    and a log-scale for each entry; two numbers where `categorical` needs one a level, for bytes.

    Salimans et al. (2017), arXiv:1701.05517.
    """

    def read(numbers):
        mean, log_scale = jnp.split(numbers, 2)
        scale = jnp.exp(jnp.clip(log_scale, -5.0, 3.0)) * levels / 8
        return (mean + 1) * levels / 2 - 0.5, scale

    def sample(numbers, key):
        mean, scale = read(numbers)
        x = jnp.round(mean + scale * jax.random.logistic(key, mean.shape))
        return jnp.clip(x, 0, levels - 1).astype(integers(levels)).reshape(shape)

    def log_prob(numbers, x):
        example("discretized logistic observation", x, shape, jnp.integer)
        x, (mean, scale) = x.reshape(-1), read(numbers)
        below = (x - 0.5 - mean) / scale
        above = below + 1 / scale
        first, last = -softplus(-above), -softplus(below)
        # log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a))
        middle = first + last + jnp.log(-jnp.expm1(-1 / scale))
        log_mass = jnp.where(x == 0, first, jnp.where(x == levels - 1, last, middle)).sum()
        return jnp.where(is_level(x, levels).all(), log_mass, -jnp.inf)

    return Observation(2 * math.prod(shape), sample, log_prob)


def is_level(x, levels: int):
    """Whether each entry is one of `0 .. levels-1`; compared as int32, where a byte could not hold 256."""
    x = x.astype(jnp.int32)
    return (x >= 0) & (x < levels)


def integers(levels: int):
    """The integer type that holds `levels` symbols: bytes where they suffice."""
    return jnp.uint8 if levels <= 256 else jnp.int32
