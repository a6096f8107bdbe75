"""Noise-conditional score network: Langevin steps at noise levels that fall."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..integrate import annealed_langevin, grids
from ..objectives import matching
from ..paths import preconditioned, ve
from ..transforms import sampler
from . import diffusion
from .on_data import on_data

SNR = 0.5  # of a Langevin step: normals end 4% too wide with 64 levels of 4 steps, with 0.22 20%


def ncsn(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    noise_levels: int = 64,
    repeats: int = 4,
) -> Model:
    """`annealed_langevin` on the variance-exploding path, with the noise predicted, `-sigma score`.

    `noise_levels` noise levels, `repeats` Langevin steps at each. Claim: none.
    Example: `ncsn(Event((2,)))` samples `f32[2]`.
    Song & Ermon (2019), arXiv:1907.05600; (2020), arXiv:2006.09011.
    """
    path = ve(0.01, 20.0)
    body = diffusion.denoiser(event, width, depth, frequencies)
    network = preconditioned(body, path, "noise")
    table = annealed_langevin(path, grids.uniform(noise_levels - 1), "noise", repeats, SNR)
    loss = matching(network, "field", path, "noise")
    return on_data(diffusion.matched(event, sampler(network, table), loss), event)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return ncsn(Event((2,)), width=32, depth=2, noise_levels=32), diffusion.two_clusters()
