"""Discrete diffusion: symbols hidden one after another, and found again."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model, Player
from ..integrate.jumps import reversal
from ..objectives.discrete import jump_bound
from .autoregressive import three_symbols
from .of_symbols import jumping, of_symbols


def discrete_diffusion(
    event: Event,
    width: int = 32,
    depth: int = 6,
    solver_steps: int = 32,
    mask: bool = True,
    bins: int = 64,
) -> Model:
    """Symbols hidden by masks (or, without `mask`, changed), and the reversal of that. Claim: Bound.

    Learned by the bound in continuous time; sampled in `solver_steps` steps, all symbols at once, each by
    the path's own posterior. The claim is the bound of that very chain, whose importance weights sharpen it.
    Reals are a histogram of `bins` cells an axis, stretched over the line; an event that is no image is one
    row of pixels.

    Example: `discrete_diffusion(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Austin et al. (2021), arXiv:2107.03006; Shi et al. (2024), arXiv:2406.04329; Sahoo et al. (2024),
    arXiv:2406.07524.
    """
    network, path, chained = jumping(event, width, depth, mask, bins)
    jumps = reversal(path)
    player = Player(("belief",), jump_bound(network, "belief", path, jumps))
    return of_symbols(Model(chained(jumps, solver_steps), {"belief": player}), event, bins)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 2000, "batch": 256, "rate": 2e-3, "average": 0.995}
    if math.prod(event.shape) > 500:
        return {"steps": 900, "batch": 16, "rate": 3e-3, "solver_steps": 16}
    return {"steps": 1200, "batch": 64, "rate": 4e-3}


def tiny() -> tuple[Model, Batch]:
    event = Event((3,), levels=3)
    return discrete_diffusion(event, width=8, depth=1, solver_steps=16), three_symbols()
