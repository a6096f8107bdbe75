"""The deep belief net: a machine over the hidden bits of another, which becomes a directed layer."""

from __future__ import annotations

import jax
from jax.lax import stop_gradient

from ..core import Batch, Event, Model, Player, each
from ..core.check import positive
from ..distributions.directed import belief_net, directed
from ..distributions.harmonium import harmonium
from ..distributions.layer import bits, units
from . import rbm
from .chain import symbols_of
from .of_symbols import of_symbols
from .restricted import restricted


def dbn(
    event: Event,
    hidden: int = 32,
    top: int = 16,
    chains: int = 100,
    moves: int = 1,
    sweeps: int = 200,
    bins: int = 32,
) -> Model:
    """`p(v) = sum_h p(v|h) p(h)`: h of a machine with `top` units, v of independent ones given h.

    Greedy and at once: "layer" is a machine of v and h, taught by its chains, and "top" one over the h that
    it infers from data. Wake and sleep then part its two directions: awake data are told back from their h,
    asleep the h of top's chains from the v they generate. Claim: Bound up to 20 units of `top`, whose states
    are counted; beyond, a bound up to a constant, whose ladder it brings. Reals are symbols of `bins` cells
    an axis; a label moves the biases of the top units.

    Example: `dbn(Event((8, 8, 1), levels=2))` samples `u8[8, 8, 1]`. Hinton, Osindero & Teh (2006), Neural
    Computation 18. Raises ValueError for a size less than one, or no chains.
    """
    positive("dbn", hidden=hidden, top=top, chains=chains)
    d, levels = symbols_of(event, bins)
    layer = units(event.shape if event.levels else (d,), levels)
    lower = restricted(layer, 0, hidden, chains, moves, sweeps)
    upper = restricted(bits((hidden,)), event.classes, top, chains, moves, sweeps)
    layers = directed(harmonium(layer, hidden), layer, hidden)
    draw = jax.vmap(layers.generate, (None, 0, 0))
    told, guessed = (jax.vmap(f, (None, 0, 0)) for f in (layers.told, layers.guessed))

    def inferred(params, key, batch):
        h, _ = each(layers.infer, params, key, batch)
        return batch._replace(x=stop_gradient(h))

    def greedy(params, carry, key, batch):
        learn = lower.players["machine"].loss
        unlabelled = batch._replace(cond=None)  # a label moves the top units alone
        value, (own, _) = learn(layers.machine(params), carry["layer"], key, unlabelled)
        return value, (carry | {"layer": own}, {})

    def above(params, carry, key, batch):
        infer, learn = jax.random.split(key)
        codes = inferred(params, infer, batch)
        value, (own, _) = upper.players["machine"].loss(params, carry["top"], learn, codes)
        return value, (carry | {"top": own}, {})

    def wake_sleep(params, carry, key, batch):
        infer, dream = jax.random.split(key)
        wake = -told(params, batch.x, inferred(params, infer, batch).x).mean()
        h = carry["top"]["chains"]
        v = stop_gradient(draw(params, jax.random.split(dream, len(h)), h))
        sleep = -guessed(params, h, v).mean()
        return wake + sleep, (carry, {"wake": wake, "sleep": sleep})

    def prepare(params, key, batch):
        infer, look = jax.random.split(key)
        found = lower.prepare(layers.machine(params), look, batch)
        params = params | {"layer": found["machine"], "layer_centre": found["centre"]}
        return upper.prepare(params, look, inferred(params, infer, batch))

    players = {
        "layer": Player(("layer",), greedy),
        "top": Player(("machine",), above),
        "wake_sleep": Player(("layer_down", "layer_up"), wake_sleep),
    }
    law = belief_net(upper.distribution, layers)
    model = Model(law, players, carry=beginnings(layer=lower, top=upper), prepare=prepare)
    return of_symbols(model, event, bins)


def beginnings(**models: Model):
    """`key -> {name: what that model carries}`."""

    def carry(key):
        keys = jax.random.split(key, len(models))
        return {name: m.carry(k) for (name, m), k in zip(models.items(), keys, strict=True)}

    return carry


def preset(event: Event) -> dict:
    decay = 0.0 if event.levels is None else 0.3  # small images are few
    return {"steps": 4000, "batch": 100, "rate": 1e-2, "clip": 1e9, "weight_decay": decay}


def tiny() -> tuple[Model, Batch]:
    return dbn(Event((3,), levels=2), hidden=16, top=6), rbm.tiny()[1]
