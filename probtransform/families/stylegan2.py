"""StyleGAN2: latents become styles, and styles, layer by layer, an image."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Density, Distribution, Event, Model, Transform, pushforward
from ..core.check import not_negative
from ..distributions import normal
from ..networks import stylegan2 as networks
from ..objectives.adversarial import non_saturating, r1
from ..objectives.path_length import path_length
from ..transforms import onto
from .image_game import flat, image_game, image_of, labelled, pixels

MANY = 1000  # latents for a mean style


def stylegan2(
    event: Event,
    latent: int = 32,
    width: int = 32,
    depth: int = 4,
    penalty: float = 1.0,
    path: float = 2.0,
    mixing: float = 0.9,
    adain: bool = False,
) -> Model:
    """`z -> styles -> image` by a mapping of `depth` layers and a synthesis with noise. Claim: none.

    The non-saturating game with R1 and path lengths of weight `path`; in training a share `mixing` of samples
    takes its styles from a second latent after a layer drawn at random.

    With `adain`, styles scale normalised channels in place of weights, as in the layers of the first
    StyleGAN: images only.

    A vector is an image of one place with a channel for each entry, and pays for no path lengths. Example:
    `stylegan2(Event((28, 28, 1), levels=256))` samples `u8[28, 28, 1]`.

    Karras et al. (2018), arXiv:1812.04948; Karras et al. (2019), arXiv:1912.04958. Raises ValueError if a
    size is less than one, `mixing` is no probability, or a weight is negative.
    """
    if not 0 <= mixing <= 1:
        raise ValueError(
            f"stylegan2: got mixing={mixing}, wanted a probability; 0 gives every image one latent"
        )
    not_negative("stylegan2", penalty=penalty, path=path)
    law = flat_law(event, latent, width, depth, adain=adain)
    critic = networks.critic(image_of(event), event.classes, width)
    owns = ("mapping", "synthesis")
    mixed = flat_law(event, latent, width, depth, mixing=mixing, adain=adain)
    penalties = [r1(penalty)]
    model = image_game(event, mixed, critic, non_saturating, penalties, owns=owns)
    if path and len(event.shape) == 3:
        styles = pushforward(normal((latent,)), mapping=mapping_of(event, latent, depth, mixing))
        step, generator = synthesis_of(event, latent, width, adain), model.players["generator"]
        paid = path_length(generator.loss, styles, step, "synthesis", path)
        players = model.players | {"generator": generator._replace(loss=paid)}
        model = model._replace(players=players, carry=lambda key: {"path_length": jnp.zeros(())})
    return model._replace(distribution=pushforward(law, data=onto(event)))


def truncated(
    event: Event,
    psi: float,
    latent: int = 32,
    width: int = 32,
    depth: int = 4,
    adain: bool = False,
) -> Distribution[Density | None]:
    """The law of a trained model's images when its styles are drawn to their mean, `c + psi (w - c)`.

    It reads the blocks of `stylegan2` of the same numbers: psi 1 is the model, 0 one image but for noise and
    rounding, and in between samples are more alike and more typical. With labels, c is the mean of the
    label's styles.

    Karras et al. (2018), arXiv:1812.04948, appendix B.
    """
    return pushforward(flat_law(event, latent, width, depth, psi, adain=adain), data=onto(event))


def flat_law(
    event: Event,
    latent: int,
    width: int,
    depth: int,
    psi: float = 1.0,
    mixing: float = 0.0,
    adain: bool = False,
) -> Distribution[Density | None]:
    """The law of flat reals, one block a step."""
    return pushforward(
        normal((latent,)),
        mapping=mapping_of(event, latent, depth, mixing, psi),
        synthesis=flat(synthesis_of(event, latent, width, adain)),
        pixels=pixels(event),
    )


def mapping_of(
    event: Event, latent: int, depth: int, mixing: float = 0.0, psi: float = 1.0
) -> Transform[None]:
    """`z: f32[latent]` -> a style for each layer, `f32[layers, latent]`, some of another z if mixed.

    All are drawn to their mean by `psi`: that over `MANY` latents, of these very parameters, so that it
    lags behind no training and is the average's where those are averaged.
    """
    layers, _ = networks.extent(image_of(event))
    network = labelled(networks.mapping(latent, event.classes, latent, depth), event)

    def style(params, z, cond):
        w = network.apply(params, z, cond)
        if psi == 1:
            return w
        many = jax.random.normal(jax.random.key(0), (MANY, latent))
        mean = jax.vmap(network.apply, (None, 0, None))(params, many, cond).mean(0)
        return mean + psi * (w - mean)

    def forward(params, key, z, cond=None):
        w = jnp.broadcast_to(style(params, z, cond), (layers, latent))
        if mixing == 0:
            return w
        draw, place, gate = jax.random.split(key, 3)
        other = style(params, jax.random.normal(draw, z.shape), cond)
        mixes = jax.random.uniform(gate) < mixing
        first = jnp.where(mixes, jax.random.randint(place, (), 1, layers), layers)
        return jnp.where(jnp.arange(layers)[:, None] < first, w, other)

    return Transform(network.init, forward, None)


def synthesis_of(event: Event, latent: int, width: int, adain: bool) -> Transform[None]:
    """Styles -> an image `f32[h, w, c]`, with noise of the key's."""
    _, places = networks.extent(image_of(event))
    network = networks.synthesis(image_of(event), latent, width, adain)

    def forward(params, key, w, cond=None):
        return network.apply(params, w, jax.random.normal(key, (places,)))

    return Transform(network.init, forward, None)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"width": 64, "steps": 4000, "batch": 128, "average": 0.995, "momentum": 0.0}
    if math.prod(event.shape) > 500:
        return {"width": 16, "steps": 4000, "batch": 64, "average": 0.995, "momentum": 0.0}
    return {"width": 16, "steps": 1000, "batch": 64, "average": 0.995, "momentum": 0.0}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return stylegan2(Event((2,)), latent=4, width=16, depth=2), Batch(0.5 * z + 1.0)
