"""Flow matching along paths that hardly cross: draws and data are paired by optimal transport."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..objectives import coupling, matching
from ..paths import linear
from ..transforms import flow
from . import diffusion
from .on_data import on_data


def ot_flow_matching(
    event: Event, width: int = 256, depth: int = 3, frequencies: int = 8, solver_steps: int = 8
) -> Model:
    """`flow_matching` whose batches are paired at the least total squared distance, within each class.

    Claim: Exact up to solver error on reals, Bound on levels (uniform dequantisation).
    Example: `ot_flow_matching(Event((2,)))`. Tong et al. (2023), arXiv:2302.00482;
    Pooladian et al. (2023), arXiv:2304.14772.
    """
    velocity = diffusion.denoiser(event, width, depth, frequencies)
    cost = coupling.within_classes if event.classes else coupling.squared
    loss = matching(velocity, "field", linear(), coupling=coupling.optimal(cost))
    return on_data(diffusion.matched(event, flow(velocity, solver_steps), loss), event)


def preset(event: Event) -> dict:
    return diffusion.preset(event)


def tiny() -> tuple[Model, Batch]:
    return ot_flow_matching(Event((2,)), width=32, depth=2), diffusion.two_clusters()
