"""Diffusions in continuous time: scores of a noisy path, whose probability flow has a density."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..objectives import matching
from ..paths import Path, preconditioned, retimed, sub_vp, ve, vp
from ..transforms import probability_flow
from . import diffusion
from .on_data import on_data


def score_sde(
    event: Event, path: Path, width: int, depth: int, frequencies: int, solver_steps: int
) -> Model:
    """The `probability_flow` of a path, its noise learned at uniform times of the path.

    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation). Stochastic samplers
    (`euler_maruyama`, `predictor_corrector`) take the same block. Song et al. (2021), arXiv:2011.13456.
    """
    network = preconditioned(diffusion.denoiser(event, width, depth, frequencies), path, "noise")
    step = probability_flow(network, path, "noise", solver_steps)
    return on_data(diffusion.matched(event, step, matching(network, "field", path, "noise")), event)


def slower(t):
    """`1 - (1 - 0.98 t)^2`: the noise falls in step with the clock, and a little of it is left."""
    return 1 - (1 - 0.98 * t) ** 2


def vp_sde(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, solver_steps: int = 16
) -> Model:
    """`score_sde` of the variance-preserving path. Example: `vp_sde(Event((2,)))` samples `f32[2]`."""
    return score_sde(event, retimed(vp(), slower), width, depth, frequencies, solver_steps)


def sub_vp_sde(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, solver_steps: int = 16
) -> Model:
    """`score_sde` of the sub-variance-preserving path. Example: `sub_vp_sde(Event((2,)))`."""
    return score_sde(event, retimed(sub_vp(), slower), width, depth, frequencies, solver_steps)


def ve_sde(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, noise_levels: int = 16
) -> Model:
    """`score_sde` of the variance-exploding path, a step a noise level. Example: `ve_sde(Event((2,)))`."""
    return score_sde(event, ve(0.01, 20.0), width, depth, frequencies, noise_levels)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return vp_sde(Event((2,)), width=32, depth=2), diffusion.two_clusters()


def tiny_sub_vp() -> tuple[Model, Batch]:
    return sub_vp_sde(Event((2,)), width=32, depth=2), diffusion.two_clusters()


def tiny_ve() -> tuple[Model, Batch]:
    return ve_sde(Event((2,)), width=32, depth=2, noise_levels=32), diffusion.two_clusters()
