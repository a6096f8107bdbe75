"""What the constant of a law with a ladder is, between two bounds: a machine's, by its own sweeps."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..distributions.harmonium import Harmonium, rungs
from ..distributions.layer import Layer
from ..distributions.tempered import Ladder
from .annealed import Sandwich, sandwich


def ladder_sandwich(
    ladder: Ladder, params, key, betas, chains: int = 100, ends=None, cond=None
) -> Sandwich:
    """`E[lower] <= log Z <= E[upper]` in nats, and standard errors, which are those of Z over Z.

    `chains` begin as draws of the ladder's known law; `ends: [n, *event]` are draws of the law itself, for
    the upper side: exact ones for it to hold, or the best chain at hand.

    Neal (2001), arXiv:physics/9803008; Burda et al. (2015), arXiv:1412.8566 (from above).
    """

    def log_density(beta, x):
        return ladder.log_density(params, beta, x, cond)

    def moves(beta):
        return lambda key, x, log_density: (ladder.move(params, key, beta, x, cond), jnp.ones(()))

    begin, climb = jax.random.split(key)
    starts = jax.vmap(lambda k: ladder.start(params, k, cond))(jax.random.split(begin, chains))
    found = sandwich(log_density, climb, starts, ends, betas, moves)
    known = ladder.constant(params, cond)
    return found._replace(lower=found.lower + known, upper=found.upper + known)


def machine_sandwich(
    machine: Harmonium, layer: Layer, params, key, betas, chains: int = 100, ends=None, cond=None
) -> Sandwich:
    """The same of a machine, by the `rungs` on which its sweeps move.

    Salakhutdinov & Murray (2008), ICML.
    """
    return ladder_sandwich(rungs(machine, layer), params, key, betas, chains, ends, cond)
