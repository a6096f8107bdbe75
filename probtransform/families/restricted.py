"""What Boltzmann machines share: a harmonium on a layer, and how it learns."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Model, Player, Transform, pushforward
from ..core.check import not_negative, positive
from ..distributions.harmonium import MOST, chained, enumerated, harmonium
from ..distributions.layer import Layer
from ..objectives import likelihood
from ..objectives.contrastive_divergence import (
    chains_of,
    contrastive_divergence,
    in_turn,
    persistent_contrast,
)


def restricted(
    layer: Layer,
    classes: int,
    hidden: int,
    chains: int,
    moves: int,
    sweeps: int,
    persistent: bool = True,
    fast: float = 0.0,
    **steps: Transform[Exact],
) -> Model:
    """A machine, then `steps`; taught by chains, or by its likelihood if there are none.

    Chains make `moves` sweeps an update. They go on, moved by fast weights too if those have a rate, or,
    if not `persistent`, begin at the examples of each batch, whatever their number: CD-k, k being `moves`.
    Up to 20 hidden units all their states are counted: samples are exact and so is the claim. Beyond, a
    sample is the end of `sweeps` sweeps, and the claim is Unnormalized. `prepare` gives visible units the
    biases of the data's means, and centres them there.

    Raises ValueError for a size less than one, for fast weights without chains that go on, for no chains
    that are not to be `persistent`, or for more than 20 hidden units without chains.
    """
    positive("boltzmann machine", hidden=hidden, moves=moves, sweeps=sweeps)
    not_negative("boltzmann machine", chains=chains)
    if not chains and not persistent:
        raise ValueError(
            "boltzmann machine: got chains=0, which is its likelihood, and persistent=False, which is CD-k, "
            "wanted one of them; pass chains=100 for CD-k"
        )
    if fast and not (chains and persistent):
        raise ValueError(
            f"boltzmann machine: got fast={fast}, chains={chains} and persistent={persistent}, wanted chains "
            "that go on, which alone fast weights move; pass fast=0"
        )
    machine = harmonium(layer, hidden, classes)
    alone = chained(machine, layer, sweeps)
    walk = pushforward(alone, **steps) if steps else alone  # alone, it keeps its ladder
    owns = ("machine", *steps)

    def prepare(params, key, batch):
        mean = jax.vmap(layer.statistic)(batch.x).mean(0)
        blocks = {
            "machine": params["machine"] | {"visible": layer.natural(mean)},
            "centre": params["centre"] | {"visible": mean},
        }
        return params | blocks

    if not chains or hidden <= MOST:
        counted = pushforward(enumerated(machine, layer, hidden), **steps)
    if not chains:
        return Model(counted, {"machine": Player(owns, likelihood(counted))}, prepare=prepare)

    def start(key):
        return layer.sample(key, jnp.zeros(layer.size))

    def move(params, key, x, cond):
        for name, step in reversed(steps.items()):
            x, _ = step.inverse.fn(params[name], key, x, cond)
        x = machine.sweep(params, key, x, cond)
        for name, step in steps.items():
            x = step.forward(params[name], key, x, cond)
        return x

    law = counted if hidden <= MOST else walk
    if not persistent:
        loss = contrastive_divergence(walk, move, moves)
        return Model(law, {"machine": Player(owns, loss)}, prepare=prepare)
    loss = persistent_contrast(walk, move, start, moves, fast=fast)
    # the steps say where the machine lies, not what it is: they are no faster for the chains
    quick = ("machine",) if fast else ()
    carry = chains_of(walk, start, chains, in_turn(chains, classes), quick)
    return Model(law, {"machine": Player(owns, loss)}, carry=carry, prepare=prepare)
