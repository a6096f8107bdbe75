"""What energy models share: a tilted normal, the chains that teach it, and the way onto the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import (
    Batch,
    Event,
    Maybe,
    Model,
    Network,
    Player,
    Unnormalized,
    one_hot,
    pushforward,
    reading,
    sample_stages,
    through,
)
from ..core.check import positive
from ..distributions import normal
from ..distributions.refined import refined
from ..integrate import mala
from ..networks import mlp
from ..networks.energy_convnet import energy_convnet
from ..objectives.contrastive_divergence import chains_of, in_turn, persistent_contrast
from ..transforms import affine
from .gaussian import fitted
from .on_data import on_data


def body_of(event: Event, outputs: int, width: int, depth: int) -> Network:
    """`f32[d] -> f32[outputs]`, zero at first: convolutions of an image, a perceptron of anything else."""
    if len(event.shape) != 3:
        return mlp(math.prod(event.shape), outputs, width, depth, quiet=True)
    body = energy_convnet(event.shape, outputs, width // 8, quiet=True)  # type: ignore[arg-type]
    return reading(body, lambda x: x.reshape(event.shape))


def energy_of(logits: Network, classes: int, temperature: float = 1.0) -> Network:
    """`E(x) = -log(sum_y exp f(x)[y]) / T` where the label is absent, else `E(x, y) = E(x) - log p(y|x)`.

    `p(y|x)` is the softmax of the logits f; at the `temperature` T = 1, `E(x, y) = -f(x)[y]`.
    """

    def apply(params, x, cond=None):
        f = logits.apply(params, x)
        whole = jax.nn.logsumexp(f)
        label = one_hot(cond, classes) if classes else jnp.zeros(1)
        return -(whole / temperature + label @ (f - whole))

    return Network(logits.init, apply)


def absent(count: int) -> Maybe:
    """Labels that nobody knows: of p(x)."""
    return Maybe(jnp.zeros(count, int), jnp.zeros(count, bool))


def energetic(
    event: Event,
    energy: Network,
    chains: int,
    moves: int,
    step_size: float,
    renewed: float,
    sweeps: int,
    buffer: int = 0,
    taught: Callable[..., Any] | None = None,
) -> Model:
    """A normal of the data's mean and covariance, tilted by `energy`, `(f32[d], label) -> f32[]`.

    `chains` teach it, `moves` moves of MALA an update, each begun again at a normal draw with probability
    `renewed`; with a `buffer` they are drawn from among so many, and go back there. A sample is the end of
    `sweeps` moves from a normal draw. All walk where the normal is standard, so that one step suits every
    direction. The energy sees an image as it is, a vector standardised; levels are normal scores. `taught`
    makes the player's loss of the contrast; `prepare` reads off mean and covariance.
    """
    positive("energy model", chains=chains, moves=moves, sweeps=sweeps)
    kept = max(chains, buffer)
    d, image = math.prod(event.shape), len(event.shape) == 3
    base, kernel, place = normal((d,)), mala(step_size, moves), affine(d)
    flow = pushforward(base, affine=place) if image else base

    def log_ratio(params, x, cond):
        return -energy.apply(params["energy"], x, cond)

    def init(key):
        first, second = jax.random.split(key)
        return flow.init(first) | {"energy": energy.init(second)}

    def walking(params, key, z, cond=None):
        x = sample_stages(flow, params, key, cond, z)[-1]
        return base.density.fn(params, key, z, cond) + log_ratio(params, x, cond)

    def move(params, key, z, cond):
        return kernel(key, z, lambda z: walking(params, key, z, cond))[0]

    def start(key):
        return base.sample({}, key, None)

    law = refined(flow, base, log_ratio, mala(step_size, sweeps), 1)._replace(init=init)
    walk = law._replace(density=Unnormalized(walking))
    loss = persistent_contrast(
        walk, move, start, 1, renewed, carried=law, moved=chains if kept > chains else 0
    )
    player = Player(("energy",), loss if taught is None else taught(loss))
    labels = in_turn(kept, event.classes) if taught is None else absent(kept)
    model = Model(law, {"energy": player}, carry=chains_of(walk, start, kept, labels))

    def prepare(params, key, batch):
        return params | {"affine": fitted(batch.x, ridge=0.02)}

    whole = model if image else through(model, affine=place)
    return on_data(whole._replace(prepare=prepare), event)


def cut_in_two() -> Batch:
    """256 of a normal in the plane whose halves have been moved apart: two lumps."""
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return Batch(z.at[:, 0].add(2.0 * jnp.sign(z[:, 0])))
