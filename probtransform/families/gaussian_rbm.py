"""The restricted Boltzmann machine of reals: normals around the sum of the rows that are switched on."""

from __future__ import annotations

import math

import jax

from ..core import Batch, Event, Model
from ..distributions.layer import normals
from ..transforms import affine
from .gaussian import fitted
from .on_data import on_data
from .restricted import restricted


def gaussian_rbm(
    event: Event,
    hidden: int = 16,
    chains: int = 100,
    moves: int = 1,
    sweeps: int = 200,
    persistent: bool = True,
    fast: float = 0.0,
) -> Model:
    """`v | h ~ N(b + W h, I)`, `h | v` coins, then an affine map: `2^hidden` normals of one shape, mixed.

    Taught as an `rbm` is: by `chains` that go on, with `fast` weights or without, by CD-k where they are not
    `persistent`, or by its likelihood if none. Claim on reals: Exact up to 20 hidden units,
    whose states are counted, else Unnormalized; rounding to levels leaves a Bound of the one and nothing to
    report of the other.

    Example: `gaussian_rbm(Event((2,)))` samples `f32[2]`. Welling et al. (2005), NIPS 17.
    Raises ValueError as `rbm` does.
    """
    d = math.prod(event.shape)
    numbers = (event.classes, hidden, chains, moves, sweeps, persistent, fast)
    model = restricted(normals((d,)), *numbers, affine=affine(d))

    def prepare(params, key, batch):
        # from one normal no slope leads to several, of the same mean and covariance: half of the variance is
        # left to the hidden units, in directions drawn at random
        whole = fitted(batch.x, ridge=0.02)
        half = {
            "log_diagonal": whole["log_diagonal"] - math.log(2) / 2,
            "below": whole["below"] / math.sqrt(2),
        }
        weights = 2 / math.sqrt(hidden) * jax.random.normal(key, (d, hidden))
        machine = params["machine"] | {"weights": weights}
        return params | {"machine": machine, "affine": whole | half}

    return on_data(model._replace(prepare=prepare), event)


def preset(event: Event) -> dict:
    return {"steps": 4000, "batch": 100, "rate": 1e-2, "clip": 1e9}


def tiny() -> tuple[Model, Batch]:
    """A normal that is cut in two."""
    z = jax.random.normal(jax.random.key(0), (256, 2))
    x = z.at[:, 0].add(2.0 * jax.numpy.sign(z[:, 0]))
    return gaussian_rbm(Event((2,)), hidden=3, chains=0), Batch(x)
