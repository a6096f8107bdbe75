"""The hierarchical variational autoencoder: codes above codes, met on the way down."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model, Network, Player, pushforward
from ..distributions import normal
from ..objectives import likelihood
from ..transforms import Rung, ladder
from . import vae
from .coding import decoder_of, encoder_of, perceptron


def hierarchical_vae(
    event: Event, layers: int = 3, latent: int = 8, width: int = 256, depth: int = 2
) -> Model:
    """`layers` layers of `latent` codes, each drawn given those above, then an observation. Claim: Bound.

    The encoder climbs past all layers and comes down with the decoder, whose law of each layer it only has to
    correct: see `transforms.ladder`. One scan runs the layers, however many there are, each of perceptrons
    with one hidden layer; those between them and the data have `depth`. Guesses are narrow at first, lest
    codes be given up: until it was learned the bound is far below log p.

    Example: `hierarchical_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Sonderby et al. (2016), arXiv:1602.02282; Child (2020), arXiv:2011.10650.
    """

    def between(inputs: int, outputs: int, quiet: bool = True) -> Network:
        return perceptron(event, inputs, outputs, width, 1, quiet)

    rung = Rung(
        up=added(between(width, width)),
        law=between(width, 2 * latent),
        guess=confident(between(2 * width, 2 * latent, quiet=False), latent),
        down=taking_in(latent, width, added(between(width, width, quiet=False))),
    )
    enter = encoder_of(event, width, width, depth)
    leave, observation = decoder_of(event, width, width, depth)
    step = ladder(rung, layers, latent, width, enter, leave, observation)
    distribution = pushforward(normal((layers * latent,)), ladder=step)
    return Model(distribution, {"vae": Player(("ladder",), likelihood(distribution))})


def added(network: Network) -> Network:
    """`h + f(h, ...)`: a layer that begins near the identity."""
    return Network(network.init, lambda params, h, *rest: h + network.apply(params, h, *rest))


def confident(network: Network, codes: int) -> Network:
    """The same guess, its scale a third at first: codes that say too little are given up."""
    shift = jnp.repeat(jnp.array([0.0, -1.0]), codes)
    return Network(network.init, lambda params, *inputs: network.apply(params, *inputs) + shift)


def taking_in(codes: int, width: int, network: Network) -> Network:
    """`network(h + z W)`: codes come in at their own size, however few they are beside h."""

    def init(key):
        first, second = jax.random.split(key)
        kernel = jax.random.normal(first, (codes, width)) / codes**0.5
        return {"codes": kernel, "network": network.init(second)}

    def apply(params, h, z, cond):
        return network.apply(params["network"], h + z @ params["codes"], cond)

    return Network(init, apply)


def preset(event: Event) -> dict:
    d = math.prod(event.shape)
    if event.levels is None:
        small = {"layers": 2, "latent": min(d, 4), "width": 64}
        return small | {"steps": 4000, "batch": 256, "rate": 2e-3}
    steps = 1500 if d <= 100 else 4000
    return {"steps": steps, "weight_decay": 0.3, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    return hierarchical_vae(Event((2,)), layers=2, latent=1, width=16, depth=1), vae.tiny()[1]
