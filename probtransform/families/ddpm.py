"""Denoising diffusion: a chain of small denoising steps, learned by predicting the noise."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..integrate import grids
from ..objectives import matching
from ..paths import preconditioned, vp
from ..transforms import denoising_chain
from . import diffusion
from .on_data import on_data

END = 0.99  # of the path, where a deviation of 0.045 is left


def ddpm(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, noise_levels: int = 512
) -> Model:
    """The `denoising_chain` of the variance-preserving path, the error of the noise alike at all times.

    Claim: Bound, the variational one of `noise_levels` steps; on levels uniform dequantisation is in it.
    Example: `ddpm(Event((2,)))` samples `f32[2]`. Ho et al. (2020), arXiv:2006.11239.
    """
    path = vp()
    network = preconditioned(diffusion.denoiser(event, width, depth, frequencies), path, "noise")
    chain = denoising_chain(network, path, END * grids.power(noise_levels, 2.0), "noise")
    return on_data(
        diffusion.matched(event, chain, matching(network, "field", path, "noise")), event
    )


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return ddpm(Event((2,)), width=32, depth=2, noise_levels=8), diffusion.two_clusters()
