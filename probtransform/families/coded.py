"""What autoencoders share: a code an example, its way back, and a law of codes that is learned afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from ..core import Event, Model, Network, Player, pushforward, through
from ..distributions import gaussian_mixture, mixture_of
from ..objectives import likelihood
from ..transforms import implicit, onto
from .coding import perceptron


class Coder(NamedTuple):
    """encode: `(params, x: f32[d], label) -> f32[latent]`.  decode: `(params, z, label) -> f32[d]`."""

    encode: Network
    decode: Network


def perceptrons(event: Event, latent: int, width: int, depth: int) -> Coder:
    """Both ways by perceptrons of the flat example, levels as numbers in [-1, 1], and its label."""
    d = math.prod(event.shape)
    encode = perceptron(event, d, latent, width, depth)
    return Coder(encode, perceptron(event, latent, d, width, depth))


def coded(prior: Model, event: Event, coder: Coder, loss: Callable[..., Any]) -> Model:
    """Any model of codes, pushed through a decoder that learns by `loss` with the encoder in `extra`.

    The prior's players learn on the codes of the batch, held still: a density after the fact, which makes an
    autoencoder something to sample. Without players, such as a normal that codes are drawn to, nothing is
    left for it to learn. Levels are rounded; on the way back, they are uniform in their cells.
    Ghosh et al. (2019), arXiv:1903.12436. Claim: none. Raises ValueError for a player or a block of the
    prior by a name that is needed here.
    """
    players = {"autoencoder": Player(("encoder", "decoder"), loss)}
    extra = {"encoder": coder.encode.init}
    if taken := sorted(prior.players.keys() & players | prior.extra.keys() & extra):
        raise ValueError(
            f"coded: got a model of codes that has {taken} itself, wanted these names for the autoencoder; "
            "rename its players or blocks"
        )

    def codes_of(params, batch):
        codes = jax.vmap(coder.encode.apply, (None, 0, 0))(params["encoder"], *batch)
        return batch._replace(x=jax.lax.stop_gradient(codes))

    def on_codes(player: Player) -> Player:
        def loss(params, carry, key, batch):
            return player.loss(params, carry, key, codes_of(params, batch))

        return player._replace(loss=loss)

    def prepare(params, key, batch):
        return prior.prepare(params, key, codes_of(params, batch))

    model = Model(
        pushforward(prior.distribution, decoder=implicit(coder.decode)),
        players | {name: on_codes(player) for name, player in prior.players.items()},
        prior.extra | extra,
        prior.carry,
        prepare,
    )
    return through(model, example=onto(event))  # a law of codes may have `data` of its own


def mixture(latent: int, components: int, classes: int) -> Model:
    """A mixture of Gaussians over codes, by maximum likelihood from where the first codes lie."""
    law = gaussian_mixture(latent, components, classes)

    def prepare(params, key, batch):
        return params | {"mixture": mixture_of(batch.x, components, classes)}

    return Model(law, {"mixture": Player(("mixture",), likelihood(law))}, prepare=prepare)
