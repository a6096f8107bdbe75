"""What the constant of a Boltzmann machine is, between two bounds: annealing by its own sweeps."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..distributions.harmonium import Harmonium
from ..distributions.layer import Layer
from .annealed import Sandwich, sandwich


def machine_sandwich(
    machine: Harmonium, layer: Layer, params, key, betas, chains: int = 100, ends=None, cond=None
) -> Sandwich:
    """`E[lower] <= log Z <= E[upper]` in nats, and standard errors, which are those of Z over Z.

    At beta the machine has `beta W`, hidden biases `beta c`, and visible biases between those that alone
    would give the centres, which are the data's means, and its own: at 0 its units are independent, its
    constant known, and `chains` begin as draws of it. `ends: [n, *event]` are draws of the machine, for the
    upper side: exact ones for it to hold, or the best chain at hand. A move is a sweep of both layers.

    Salakhutdinov & Murray (2008), ICML; Burda et al. (2015), arXiv:1412.8566 (from above).
    """
    own, centre = params["machine"], params["centre"]
    alone = layer.natural(centre["visible"])

    def at(beta):
        machine_at = {name: beta * leaf for name, leaf in own.items()}
        machine_at["visible"] = (1 - beta) * alone + beta * own["visible"]
        return params | {"machine": machine_at}

    def log_density(beta, v):
        return -machine.free_energy(at(beta), v, cond)

    def moves(beta):
        return lambda key, v, log_density: (machine.sweep(at(beta), key, v, cond), jnp.ones(()))

    begin, climb = jax.random.split(key)
    starts = jax.vmap(lambda k: layer.sample(k, alone))(jax.random.split(begin, chains))
    found = sandwich(log_density, climb, starts, ends, betas, moves)
    hidden = own["hidden"].size
    known = layer.log_partition(alone) - alone @ centre["visible"] + hidden * math.log(2)
    return found._replace(lower=found.lower + known, upper=found.upper + known)
