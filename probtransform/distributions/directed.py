"""A machine read as two directed layers, data given bits and bits given data, each with a correction."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..core import Density, Distribution, Exact, join
from ..core.check import disjoint
from .forgetting import forgetting
from .harmonium import Harmonium
from .layer import Layer
from .observation import bernoulli
from .tempered import lacking


class Directed(NamedTuple):
    """`p(v|h)` and `q(h|v)` of ONE example, independent units both; `params` are all blocks.

    init:       `key -> {name, name_centre, name_down, name_up}`.
    machine:    `params -> ` those of the machine alone, as its own functions read them.
    generate:   `(params, key, h) -> v`.                told:     `(params, v, h) -> log p(v|h)`.
    infer:      `(params, key, v, cond) -> (h, log q)`. guessed:  `(params, h, v) -> log q(h|v)`.
    """

    init: Any
    machine: Any
    generate: Any
    told: Any
    infer: Any
    guessed: Any


def directed(machine: Harmonium, layer: Layer, hidden: int, name: str = "layer") -> Directed:
    """The conditionals of a machine, and what sets them apart: `W + down` generates, `W + up` infers.

    With both corrections zero, and they begin so, these are the machine's own. Wake and sleep move them;
    what greedy learning finds stays in the machine. Block `name` is the machine; beside it are its centres
    and the corrections.

    Example: `directed(harmonium(layer, 32), layer, 32)` for `layer = bits((64,))`.
    Hinton, Osindero & Teh (2006), Neural Computation 18.
    """
    coins = bernoulli((hidden,))

    def init(key):
        own = machine.init(key)
        nothing = {"weights": jnp.zeros((layer.size, hidden))}
        down, up = {"visible": jnp.zeros(layer.size)}, {"hidden": jnp.zeros(hidden)}
        whole = {name: own["machine"], f"{name}_centre": own["centre"]}
        return whole | {f"{name}_down": nothing | down, f"{name}_up": nothing | up}

    def machine_of(params, by=None):
        own = dict(params[name])
        for leaf, moved in (params[f"{name}_{by}"] if by else {}).items():
            own[leaf] = own[leaf] + moved
        return {"machine": own, "centre": params[f"{name}_centre"]}

    def natural(params, h):
        return machine.visible(machine_of(params, "down"), h.astype(jnp.float32))

    def logits(params, v):
        return machine.hidden(machine_of(params, "up"), v)

    def generate(params, key, h):
        return layer.sample(key, natural(params, h))

    def told(params, v, h):
        eta = natural(params, h)
        return eta @ layer.statistic(v) + layer.base(v) - layer.log_partition(eta)

    def infer(params, key, v, cond=None):
        numbers = logits(params, v)
        h = coins.sample(numbers, key)
        return h, coins.log_prob(numbers, h)

    def guessed(params, h, v):
        return coins.log_prob(logits(params, v), h)

    return Directed(init, machine_of, generate, told, infer, guessed)


def belief_net(prior: Distribution[Any], layers: Directed) -> Distribution[Density]:
    """v of its layer given h of the prior: `log p(v) >= E_q[log p(h) + log p(v|h) - log q(h|v)]`.

    The prior is a machine over h, or a belief net again. Claim: Bound of a prior that is Exact; of an
    Unnormalized one a bound up to its constant. Hinton, Osindero & Teh (2006), Neural Computation 18.
    """

    def init(key):
        above, below = jax.random.split(key)
        return disjoint("belief_net", prior.init(above), layers.init(below))

    def sample(params, key, cond=None):
        above, below = jax.random.split(key)
        h = prior.sample(params, above, cond)
        return layers.generate(params, below, h), h

    def log_density(params, key, pair, cond=None):
        v, h = pair
        return prior.density.fn(params, key, h, cond) + layers.told(params, v, h)

    claim = join(type(prior.density), Exact)  # the claim alone, whatever else the prior's knows
    net = forgetting(Distribution(init, sample, claim(log_density)), layers.infer)
    return net._replace(density=lacking(net.density, prior))
