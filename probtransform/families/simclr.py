"""SimCLR: an encoder that knows two views of one image from views of others."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Event, Model, Network, Player, reading
from ..core.check import above_zero
from ..distributions.among import among
from ..networks import encoder, mlp
from ..objectives.contrastive import between_views, cosine, nt_xent
from ..objectives.contrastive.changes import (
    Change,
    blurred,
    cropped,
    in_turn,
    lit,
    mirrored,
    sometimes,
)


def simclr(
    event: Event,
    features: int = 128,
    width: int = 32,
    outputs: int = 128,
    temperature: float = 0.2,
) -> Model:
    """`p(i | x, c) = softmax_i cos(g(x), g(c_i)) / temperature`: which view c_i shows what x does. Exact.

    It generates no image: what it claims is a law of matches, `among` whose candidates are the batch. g is an
    encoder and a projection, "body" and "head" of the block "encoder"; features of the body, `encoder(...)`
    without the projection, are what one keeps.

    Example: `simclr(Event((28, 28, 1), levels=256))`; a condition is `(f32[28, 28, 1], f32[K, 28, 28, 1])`.
    Chen et al. (2020), arXiv:2002.05709. Raises ValueError as `encoder` does, and unless
    `temperature` is above zero.
    """
    above_zero("simclr", temperature=temperature)
    embed = projected(encoder(event.shape, features, width), mlp(features, outputs, features, 1))
    view, read = views(), as_light(event)
    loss = between_views(
        embed,
        "encoder",
        lambda key, x: view(key, read(x)),
        lambda a, b, _: nt_xent(a, b, temperature),
    )
    critic = cosine(reading(embed, read), temperature)
    return Model(among(critic, "encoder"), {"views": Player(("encoder",), loss)})


def views() -> Change:
    """What SimCLR does to an image without colours."""
    return in_turn(cropped(), mirrored, sometimes(lit(), 0.8), sometimes(blurred()))


def projected(body: Network, head: Network) -> Network:
    def init(key):
        return {"body": body.init(key), "head": head.init(key)}

    def apply(params, x):
        return head.apply(params["head"], body.apply(params["body"], x))

    return Network(init, apply)


def as_light(event: Event):
    """Levels as reals in [-1, 1], as `Extractor`s want them; reals as they are."""
    if event.levels is None:
        return lambda x: x
    return lambda x: jnp.asarray(x, jnp.float32) * (2 / (event.levels - 1)) - 1
