"""FSQ-VAE: numbers rounded to a few values are the codes, and a chain runs over them."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model
from ..objectives import straight_through
from ..transforms import finite_scalar
from .of_codes import observed_codes, of_codes
from .vq_vae import two_arcs


def fsq_vae(
    event: Event,
    latent: int = 16,
    levels: int = 5,
    size: int = 2,
    width: int = 256,
    depth: int = 2,
    prior_width: int = 64,
    prior_depth: int = 2,
) -> Model:
    """`latent` codes, each `size` numbers of `levels` values, drawn by a causal transformer. Claim: Bound.

    A VQ-VAE whose book is a grid, `levels ** size` codes: nothing to learn of them, no commitment, no
    running means and nothing in the model's carry. Gradients pass the rounding straight.

    Example: `fsq_vae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Mentzer et al. (2023), arXiv:2309.15505.
    """
    step = observed_codes(event, finite_scalar(latent, (levels,) * size), width, depth)
    return of_codes(event, step, straight_through(step, commitment=0.0), prior_width, prior_depth)


def preset(event: Event) -> dict:
    if event.levels is None:
        small = {"latent": 2, "width": 128}
        return small | {"steps": 4000, "batch": 256, "rate": 2e-3}
    if math.prod(event.shape) > 500:
        return {"steps": 3000, "weight_decay": 0.1, "average": 0.995}
    # small images are few, and soon known by heart
    return {"latent": 8, "steps": 800, "weight_decay": 1.0, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    model = fsq_vae(
        Event((2,)), latent=2, levels=32, size=1, width=16, prior_width=8, prior_depth=1
    )
    return model, two_arcs()
