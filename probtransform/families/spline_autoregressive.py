"""Neural spline flow, autoregressive: every number is moved by a spline as those before it say."""

from __future__ import annotations

from ..core import Batch, Event, Model
from ..transforms.spline import rational_quadratic
from .maf import autoregressive_flow
from .maf import preset as preset
from .normalizing_flow import crescent


def spline_autoregressive(
    event: Event, layers: int = 3, width: int = 128, depth: int = 2, bins: int = 8
) -> Model:
    """`maf` with rational-quadratic splines of `bins` pieces in place of affine maps. Claim as there.

    Example: `spline_autoregressive(Event((2,)))` samples `f32[2]`. Durkan et al. (2019), arXiv:1906.04032.
    Raises ValueError if a size is less than one, or `width` less than the entries less one.
    """
    scalar = rational_quadratic(bins)
    return autoregressive_flow("spline_autoregressive", event, layers, width, depth, scalar)


def tiny() -> tuple[Model, Batch]:
    return spline_autoregressive(Event((2,)), layers=2, width=16), crescent()
