"""Restricted Boltzmann machines: a layer of visible units and one of hidden bits, coupled between alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import logsumexp

from ..core import Distribution, Exact, one_hot
from ..core.check import positive
from .layer import Layer, coins
from .softplus import softplus
from .tempered import Ladder, Tempered

MOST = 20  # hidden units, whose states are counted one by one: a million
CHUNK = 2**13  # states at once


class Harmonium(NamedTuple):
    """`-E(v, h) = base(v) + (s - m) b + (h - n) c + (s - m) W (h - n)`, with m and n the centres.

    A class label adds a row of its own to c.
    init:        `key -> {"machine": {"weights", "visible", "hidden", ...}, "centre": {"visible", "hidden"}}`.
    free_energy: `(params, v, cond) -> -log sum_h exp(-E(v, h))`.
    hidden:      `(params, v, cond) -> f32[hidden]`, the logits of the bits given v.
    visible:     `(params, h) -> eta`, natural parameters given the bits.
    marginal:    `(params, h, cond) -> log sum_v exp(-E(v, h))`; h may have leading axes.
    sweep:       `(params, key, v, cond) -> v`, both layers drawn anew: block Gibbs.
    """

    init: Callable[..., Any]
    free_energy: Callable[..., Any]
    hidden: Callable[..., Any]
    visible: Callable[..., Any]
    marginal: Callable[..., Any]
    sweep: Callable[..., Any]


def harmonium(layer: Layer, hidden: int, classes: int = 0) -> Harmonium:
    """The machine of a visible layer and so many hidden bits; both layers are independent given the other.

    Centres change no law, only slopes: with m and n near the means of s and h the gradient is better
    conditioned. Nobody owns them; m is the data's mean once a family has prepared it, n is a half.

    Smolensky (1986); Hinton (2002), Neural Computation 14; Welling et al. (2005), NIPS 17; Montavon & Müller
    (2012). Raises ValueError unless there is a hidden unit.
    """
    positive("harmonium", hidden=hidden)

    def init(key):
        weights = 0.01 * jax.random.normal(key, (layer.size, hidden))
        machine = {
            "weights": weights,
            "visible": jnp.zeros(layer.size),
            "hidden": jnp.zeros(hidden),
        }
        if classes:
            machine["labels"] = jnp.zeros((classes, hidden))
        centre = {"visible": jnp.zeros(layer.size), "hidden": jnp.full(hidden, 0.5)}
        return {"machine": machine, "centre": centre}

    def seen(params, v):
        return layer.statistic(v) - params["centre"]["visible"]

    def bias(params, cond):
        c = params["machine"]["hidden"]
        return c + one_hot(cond, classes) @ params["machine"]["labels"] if classes else c

    def logits(params, v, cond=None):
        return bias(params, cond) + seen(params, v) @ params["machine"]["weights"]

    def free_energy(params, v, cond=None):
        x, n = logits(params, v, cond), params["centre"]["hidden"]
        visible = seen(params, v) @ params["machine"]["visible"]
        return -(layer.base(v) + visible + (softplus(x) - n * x).sum())

    def natural(params, h):
        away = h - params["centre"]["hidden"]
        return params["machine"]["visible"] + away @ params["machine"]["weights"].T

    def marginal(params, h, cond=None):
        eta = natural(params, h)
        told = (h - params["centre"]["hidden"]) @ bias(params, cond)
        return layer.log_partition(eta) - eta @ params["centre"]["visible"] + told

    def sweep(params, key, v, cond=None):
        up, down = jax.random.split(key)
        h = coins(up, logits(params, v, cond))
        return layer.sample(down, natural(params, h.astype(jnp.float32)))

    return Harmonium(init, free_energy, logits, natural, marginal, sweep)


def chained(machine: Harmonium, layer: Layer, sweeps: int) -> Distribution[Tempered]:
    """The law of a machine, sampled by so many sweeps from the visible layer's own.

    Claim: Unnormalized, and `Tempered`: it knows the ladder to its constant.
    """
    positive("chained", sweeps=sweeps)

    def sample(params, key, cond=None):
        first, rest = jax.random.split(key)
        v = layer.sample(first, params["machine"]["visible"])
        keys = jax.random.split(rest, sweeps)
        return jax.lax.scan(lambda v, k: (machine.sweep(params, k, v, cond), None), v, keys)[0]

    def log_density(params, key, v, cond=None):
        return -machine.free_energy(params, v, cond)

    return Distribution(machine.init, sample, Tempered(log_density, rungs(machine, layer)))


def rungs(machine: Harmonium, layer: Layer) -> Ladder:
    """The ladder of a machine: at b it has `b W`, hidden biases `b c`, and sweeps as ever.

    Its visible biases lie between those that alone would give the centres, which are the data's means, and
    its own. At 0 its units are independent. Salakhutdinov & Murray (2008), ICML.
    """

    def alone(params):
        return layer.natural(params["centre"]["visible"])

    def at(params, b):
        own = params["machine"]
        between = {"visible": (1 - b) * alone(params) + b * own["visible"]}
        return params | {"machine": {name: b * leaf for name, leaf in own.items()} | between}

    def constant(params, cond=None):
        eta, hidden = alone(params), params["machine"]["hidden"].size
        known = layer.log_partition(eta) - eta @ params["centre"]["visible"]
        return known + hidden * math.log(2)

    return Ladder(
        lambda params, key, cond=None: layer.sample(key, alone(params)),
        constant,
        lambda params, b, v, cond=None: -machine.free_energy(at(params, b), v, cond),
        lambda params, key, b, v, cond=None: machine.sweep(at(params, b), key, v, cond),
    )


def enumerated(machine: Harmonium, layer: Layer, hidden: int) -> Distribution[Exact]:
    """The law of a machine with few hidden units, its constant counted, its samples drawn exactly. Exact.

    Under `likelihood` it is maximum likelihood itself, no chain. Raises ValueError for more than 20 hidden
    units.
    """
    masses, total = log_masses(machine, hidden), log_masses(machine, hidden, logsumexp)

    def sample(params, key, cond=None):
        upper, lower, down = jax.random.split(key, 3)
        # half of the bits, then the others given them: noise for two roots of the number of states
        table = masses(params, cond).reshape(2 ** (hidden // 2), -1)
        row = jax.random.categorical(upper, logsumexp(table, 1))
        number = row * table.shape[1] + jax.random.categorical(lower, table[row])
        return layer.sample(down, machine.visible(params, states(number, hidden)))

    def log_density(params, key, v, cond=None):
        return -machine.free_energy(params, v, cond) - logsumexp(total(params, cond))

    return Distribution(machine.init, sample, Exact(log_density))


def log_masses(machine: Harmonium, hidden: int, fold: Callable[..., Any] = lambda nats: nats):
    """`(params, cond) -> log sum_v exp(-E(v, h))` of every state h: `f32[2^hidden]`, which sum to Z.

    `fold` is done to 8192 states at once: with `logsumexp` no more are ever in memory. Raises ValueError for
    more than 20 hidden units.
    """
    if hidden > MOST:
        raise ValueError(
            f"enumeration: got {hidden} hidden units, wanted at most {MOST}, whose 2^{MOST} states can be "
            "counted; sample by a chain, and bound the constant by `machine_sandwich`"
        )

    def masses(params, cond=None):
        def of(numbers):
            return fold(machine.marginal(params, states(numbers, hidden), cond))

        numbers = jnp.arange(2**hidden).reshape(-1, min(2**hidden, CHUNK))
        return jax.lax.map(jax.checkpoint(of), numbers).reshape(-1)

    return masses


def states(numbers, hidden: int):
    """The bits of these numbers, `f32[..., hidden]`."""
    return (numbers[..., None] >> jnp.arange(hidden) & 1).astype(jnp.float32)
