"""The autoencoder, with a law of its codes so that there is something to sample."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Batch, Event, Model
from ..objectives import autoencoding
from .coded import coded, mixture, perceptrons


def autoencoder(
    event: Event, latent: int = 16, width: int = 256, depth: int = 2, components: int = 10
) -> Model:
    """`x = D(z)`, `z` from a mixture of Gaussians that a second player fits to the codes. Claim: none.

    The first player learns `E |x - D(E(x))|^2` and nothing of codes: what it takes to rebuild an example.
    `coded` takes any other law of codes, a flow for example.

    Example: `autoencoder(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Hinton & Salakhutdinov (2006), Science 313; Ghosh et al. (2019), arXiv:1903.12436.
    """
    coder = perceptrons(event, latent, width, depth)
    prior = mixture(latent, components, event.classes)
    return coded(prior, event, coder, autoencoding(coder.encode, coder.decode))


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"latent": 2, "width": 128, "depth": 3, "steps": 4000, "batch": 256}
    return {"steps": 3000, "average": 0.995}


def tiny() -> tuple[Model, Batch]:
    return autoencoder(Event((2,)), latent=2, width=16, components=4), two_clouds()


def two_clouds() -> Batch:
    """256 points in the plane, half of them around (1, 1), half around (-1, -1)."""
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return Batch(0.3 * z + jnp.sign(z[:, :1]))
