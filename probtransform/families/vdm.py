"""Variational diffusion: the bound itself is what is learned, and so is when to look."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Batch, Event, Model, Player
from ..integrate import grids
from ..objectives import matching, weights
from ..paths import log_linear, preconditioned
from ..transforms import denoising_chain, rational_quadratic
from . import diffusion
from .on_data import on_data


def vdm(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    noise_levels: int = 512,
    bins: int = 8,
) -> Model:
    """A `denoising_chain` in equal steps of log-SNR, trained by the bound in continuous time.

    That bound is the same whatever the noise schedule between its ends. So the path is fixed, and what is
    learned of the schedule is a monotone spline that draws the times of training: a second player moves it
    to make the estimate of the bound less noisy. Claim: Bound, of `noise_levels` steps.

    Example: `vdm(Event((2,)))` samples `f32[2]`. Kingma et al. (2021), arXiv:2107.00630.
    """
    path, spline = log_linear(-8.0, 7.0), rational_quadratic(bins, 1.0)
    network = preconditioned(diffusion.denoiser(event, width, depth, frequencies), path, "noise")

    def times(params, u):
        return (spline.forward(params["times"], 2 * u - 1)[0] + 1) / 2

    def loss(power):
        return matching(network, "field", path, "noise", weights.likelihood, None, times, power)

    chain = denoising_chain(network, path, grids.uniform(noise_levels), "noise")
    model = diffusion.matched(event, chain, loss(1))
    players = model.players | {"times": Player(("times",), loss(2))}
    extra = {"times": lambda key: jnp.zeros(spline.size)}
    return on_data(model._replace(players=players, extra=extra), event)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return vdm(Event((2,)), width=32, depth=2, noise_levels=8), diffusion.two_clusters()
