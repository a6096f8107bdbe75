"""What Boltzmann machines share: a harmonium on a layer, and how it learns."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Model, Player, Transform, pushforward
from ..core.check import positive
from ..distributions.harmonium import MOST, chained, enumerated, harmonium
from ..distributions.layer import Layer
from ..objectives import likelihood
from ..objectives.contrastive_divergence import chains_of, in_turn, persistent_contrast


def restricted(
    layer: Layer,
    classes: int,
    hidden: int,
    chains: int,
    moves: int,
    sweeps: int,
    **steps: Transform[Exact],
) -> Model:
    """A machine, then `steps`; taught by persistent chains, or by its likelihood if there are none.

    The chains make `moves` sweeps an update. Up to 20 hidden units all their states are counted: samples are
    exact and so is the claim. Beyond, a sample is the end of `sweeps` sweeps, and the claim is Unnormalized.
    `prepare` gives visible units the biases of the data's means, and centres them there.
    """
    positive("boltzmann machine", hidden=hidden, moves=moves, sweeps=sweeps)
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

    loss = persistent_contrast(walk, move, start, moves)
    players = {"machine": Player(owns, loss)}
    law = counted if hidden <= MOST else walk
    carry = chains_of(walk, start, chains, in_turn(chains, classes))
    return Model(law, players, carry=carry, prepare=prepare)
