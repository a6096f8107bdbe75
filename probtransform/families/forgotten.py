"""What the deep machines share: a model of pairs whose second half no data show."""

from __future__ import annotations

import jax

from ..core import Model, each
from ..distributions.forgetting import Guess, forgetting


def forgotten(model: Model, guess: Guess) -> Model:
    """A model of pairs (v, h) as one of v alone: its players learn on h that is guessed, held fixed."""

    def completed(params, key, batch):
        h, _ = each(guess, params, key, batch)
        return batch._replace(x=jax.lax.stop_gradient((batch.x, h)))

    def lift(player):
        def loss(params, carry, key, batch):
            infer, learn = jax.random.split(key)
            return player.loss(params, carry, learn, completed(params, infer, batch))

        return player._replace(loss=loss)

    def prepare(params, key, batch):
        infer, look = jax.random.split(key)
        return model.prepare(params, look, completed(params, infer, batch))

    players = {name: lift(player) for name, player in model.players.items()}
    law = forgetting(model.distribution, guess)
    return Model(law, players, model.extra, model.carry, prepare)
