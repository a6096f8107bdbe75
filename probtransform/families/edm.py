"""The design space of diffusions, as its authors chose in it: preconditioning, weights, times, path."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..objectives import matching, times, weights
from ..paths import edm as exploding
from ..paths import preconditioned
from ..transforms import probability_flow
from . import diffusion
from .on_data import on_data


def edm(
    event: Event,
    width: int = 256,
    depth: int = 3,
    frequencies: int = 8,
    noise_levels: int = 16,
    scale: float = 1.0,
    mean: float = -1.2,
    deviation: float = 1.2,
) -> Model:
    """The `probability_flow` of a preconditioned denoiser, from a noise of 80 to 0.002, a step a noise level.

    `scale` is the standard deviation of the data; `log sigma ~ N(mean, deviation^2)` in training, where all
    times weigh alike at first. `heun(path, ..., clock=path.sigma)` and `churned` take the same block.
    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).

    Example: `edm(Event((2,)))` samples `f32[2]`. Karras et al. (2022), arXiv:2206.00364.
    """
    path = exploding()
    body = diffusion.denoiser(event, width, depth, frequencies)
    network = preconditioned(body, path, "data", scale)
    step = probability_flow(network, path, "data", noise_levels)
    drawn = times.log_normal(path, mean, deviation)
    loss = matching(network, "field", path, "data", weights.karras(scale), times=drawn)
    return on_data(diffusion.matched(event, step, loss), event)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return edm(Event((2,)), width=32, depth=2, noise_levels=32), diffusion.two_clusters()
