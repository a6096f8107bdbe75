"""Models of a few numbers, whose training can be followed by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from probtransform.core import Batch, Distribution, Model, Player
from probtransform.data.order import order

NOTHING = Distribution(lambda key: {}, lambda params, key, cond: jnp.zeros(()), None)
DATA = Batch(np.arange(24, dtype=np.float32).reshape(12, 2) / 10)


def mean_of_data(noise=0.0):
    """One block "w" that seeks the mean of the data; the carry counts the updates."""

    def loss(params, carry, key, batch):
        target = batch.x.mean(0) + noise * jax.random.normal(key, (2,))
        return jnp.sum((params["w"] - target) ** 2) / 2, (carry + 1, {"count": carry + 1.0})

    return Model(
        NOTHING,
        {"seeker": Player(("w",), loss)},
        {"w": lambda key: jax.random.normal(key, (2,))},
        carry=lambda key: jnp.zeros(()),
    )


def fails_after(steps):
    """The same, its loss not a number after so many updates."""
    model = mean_of_data()
    seeker = model.players["seeker"]

    def loss(params, carry, key, batch):
        value, rest = seeker.loss(params, carry, key, batch)
        return jnp.where(carry >= steps, jnp.nan, value), rest

    return model._replace(players={"seeker": seeker._replace(loss=loss)})


class Stream:
    """The batches that resident data would give, as an iterator with a position."""

    def __init__(self, data, batch, seed):
        self.data, self.batch, self.seed, self.step = data, batch, seed, 0

    def __next__(self):
        rows = order(self.seed, self.step, self.batch, len(self.data.x))
        self.step += 1
        return Batch(self.data.x[rows])

    def get_state(self):
        return {"step": self.step}

    def set_state(self, state):
        self.step = state["step"]
