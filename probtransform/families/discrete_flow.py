"""Discrete flow matching: symbols that jump from noise to data, each at a time of its own."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player
from ..integrate.jumps import holding
from ..objectives.discrete import denoising
from .autoregressive import three_symbols
from .discrete_diffusion import preset as diffusion_preset
from .of_symbols import jumping, of_symbols


def discrete_flow(
    event: Event,
    width: int = 32,
    depth: int = 6,
    solver_steps: int = 32,
    mask: bool = True,
    noise: float = 0.0,
    bins: int = 64,
) -> Model:
    """Masks, or without `mask` uniform symbols, that jump to what the data are believed to be. Claim: Bound.

    The belief is learned by cross-entropy; `solver_steps` steps follow the rates it gives. Under masks that
    is the process of `discrete_diffusion`, learned with another weight of time; from uniform symbols it is
    another: what has jumped stays. `noise` throws symbols back to the base on their way, so that mistakes
    are mended. The claim is the bound of the chain, and loose where the chain can mend what the way back
    from data never breaks: with noise under masks, and without it from uniform symbols (take 0.1 to 0.2).
    Reals are a histogram of `bins` cells an axis, stretched over the line; an event that is no image is one
    row of pixels.

    Example: `discrete_flow(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Gat et al. (2024), arXiv:2407.15595; Campbell et al. (2024), arXiv:2402.04997.
    """
    network, path, chained = jumping(event, width, depth, mask, bins)
    player = Player(("belief",), denoising(network, "belief", path))
    distribution = chained(holding(path, noise), solver_steps)
    return of_symbols(Model(distribution, {"belief": player}), event, bins)


def preset(event: Event) -> dict:
    return diffusion_preset(event)


def tiny() -> tuple[Model, Batch]:
    event = Event((3,), levels=3)
    return discrete_flow(event, width=8, depth=1, solver_steps=16), three_symbols()
