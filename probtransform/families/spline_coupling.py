"""Neural spline flow: couplings whose halves move one another by rational-quadratic splines."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from ..core import (
    Batch,
    Event,
    Exact,
    Model,
    Player,
    Transform,
    each,
    one_hot,
    pushforward,
    reading,
)
from ..core.check import positive
from ..distributions import normal
from ..networks import mlp
from ..objectives import likelihood
from ..transforms import affine, invert, marginal, marginal_of, onto, stacked
from ..transforms.coupling import half_coupling
from ..transforms.spline import rational_quadratic
from .gaussian import fitted


def spline_coupling(
    event: Event,
    layers: int = 8,
    width: int = 64,
    depth: int = 2,
    bins: int = 8,
    bound: float = 4.0,
    frequencies: int = 0,
) -> Model:
    """`layers` spline couplings, each half moving the other in turn, then an affine map and the data's shape.

    As in `realnvp`, each entry's own histogram comes in between on levels, the couplings start as the
    identity and `prepare` fits the rest. The splines run from data to noise, so that the density takes
    their quicker direction. With `frequencies` conditioners also read sines and cosines of their entries,
    `sin(k pi x / bound)`, and turn more sharply. Claim: Exact on reals, Bound on levels (uniform
    dequantisation).

    Example: `spline_coupling(Event((2,)))` samples `f32[2]`. Durkan et al. (2019), arXiv:1906.04032.
    Raises ValueError if there are no two entries to move one another.
    """
    positive("spline_coupling", layers=layers)
    d = math.prod(event.shape)
    if d < 2:
        raise ValueError(
            f"spline_coupling: got an event of shape {event.shape}, wanted at least 2 entries; use "
            "a family without halves"
        )
    scalar, kept, last = rational_quadratic(bins, bound), d // 2, onto(event)

    def features(x, cond):
        angle = jnp.outer(jnp.arange(1, frequencies + 1), jnp.pi / bound * x).ravel()
        waves = jnp.sin(angle), jnp.cos(angle)
        return jnp.concatenate([bent(x), *waves, one_hot(cond, event.classes)])

    inputs = kept * (1 + 2 * frequencies) + event.classes
    network = mlp(inputs, (d - kept) * scalar.size, width, depth, quiet=True)
    conditioner = reading(network, features)

    def layer(order) -> Transform[Exact]:
        return invert(half_coupling(conditioner, order, kept, scalar))

    steps = {"couplings": stacked(layer, orders(layers, d)), "affine": affine(d)}
    owns = tuple(steps)
    if event.levels is not None:
        steps["marginal"] = marginal(d, event.levels)
    distribution = pushforward(normal((d,)), **steps, data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        if event.levels is not None:
            params = params | {"marginal": marginal_of(z, event.levels)}
            z, _ = each(steps["marginal"].inverse.fn, params["marginal"], key, batch._replace(x=z))
        return params | {"affine": fitted(z, ridge=0.02)}

    return Model(distribution, {"flow": Player(owns, likelihood(distribution))}, prepare=prepare)


def bent(x):
    """Outliers on a leash, `3 tanh(x / 3)`: what a conditioner reads stays where it has seen data."""
    return 3 * jnp.tanh(x / 3)


def orders(layers: int, d: int) -> np.ndarray:
    """Permutations `[layers, d]`: a random one, and the same backwards a layer later; two just take turns."""
    draws = [np.random.default_rng(i // 2).permutation(d) for i in range(layers)]
    forth = draws if d > 2 else [np.arange(d)] * layers
    return np.array([order[:: -1 if i % 2 else 1] for i, order in enumerate(forth)], np.int32)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 3000, "batch": 512, "rate": 3e-3, "layers": 6, "bins": 16}
    return {"steps": 400, "batch": 128, "weight_decay": 1.0, "layers": 6, "width": 128}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return spline_coupling(Event((2,)), layers=4, width=16), Batch(
        jnp.stack([z[:, 0], z[:, 0] ** 2 + 0.3 * z[:, 1]], 1)
    )
