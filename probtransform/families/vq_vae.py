"""VQ-VAE: codes out of a book, and a chain over them."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model
from ..objectives import k_means, straight_through
from ..transforms import codebook
from .of_codes import observed_codes, of_codes


def vq_vae(
    event: Event,
    latent: int = 16,
    levels: int = 32,
    size: int = 4,
    residual: int = 1,
    width: int = 256,
    depth: int = 2,
    prior_width: int = 64,
    prior_depth: int = 2,
    commitment: float = 0.25,
    decay: float = 0.99,
) -> Model:
    """`latent` codes, each one of `levels` vectors `f32[size]`, drawn by a causal transformer. Claim: Bound.

    Encoder and decoder learn through the rounding by its straight-through gradient, with the codes held
    still; the codes follow the running means of what is rounded to them, in the same step of the same
    player, and those out of use start anew. They are parameters, so that sampling and saving know them;
    what the means need to run is the model's carry. With `residual > 1` every vector is a sum of so many
    codes, found one after another.

    Example: `vq_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    van den Oord et al. (2017), arXiv:1711.00937; Lee et al. (2022), arXiv:2203.01941.
    """
    step = observed_codes(event, codebook(latent, levels, size, residual), width, depth)
    means = k_means(levels, size, residual, decay)
    loss = straight_through(step, commitment, means)
    return of_codes(event, step, loss, prior_width, prior_depth, lambda key: means.init())


def preset(event: Event) -> dict:
    if event.levels is None:
        small = {"latent": 2, "size": 2, "width": 128}
        return small | {"steps": 4000, "batch": 256, "rate": 2e-3}
    if math.prod(event.shape) > 500:
        return {"steps": 3000, "weight_decay": 0.1, "average": 0.995}
    # small images are few, and soon known by heart
    return {"latent": 8, "steps": 800, "weight_decay": 1.0, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    model = vq_vae(Event((2,)), latent=2, levels=64, size=1, width=16, prior_width=8, prior_depth=1)
    return model, two_arcs()


def two_arcs() -> Batch:
    """256 points of the plane on two short arcs."""
    u, side, noise = jax.random.normal(jax.random.key(0), (3, 256))
    x = jnp.stack([jnp.sign(side), 0.5 * u + jnp.sign(side) * u**2 / 4], 1)
    return Batch(x + 0.2 * noise[:, None])
