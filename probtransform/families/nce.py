"""Noise-contrastive estimation: an energy and its constant, learned by telling data from a normal."""

from __future__ import annotations

import math

from ..core import Batch, Event, Model, Player
from ..distributions import normal
from ..objectives import noise_contrastive, normaliser
from .energies import cut_in_two
from .tilted_normal import tilted_normal
from .whitened import whitened


def nce(
    event: Event,
    width: int = 128,
    depth: int = 3,
    ratio: int = 4,
    step_size: float = 0.05,
    sweeps: int = 200,
) -> Model:
    """A `tilted_normal` whose log Z is a block of its own, "constant"; the noise is the normal, fitted.

    The logit of data against `ratio` draws of noise is then the energy, the constant and log ratio alone. A
    sample is the end of a chain. Claim on reals: Unnormalized, as nobody proves the constant; rounding to
    levels leaves a bound up to one.

    Example: `nce(Event((2,)))` samples `f32[2]`. Gutmann & Hyvärinen (2012), JMLR 13.
    Raises ValueError for a size or `ratio` less than one, or a `step_size` that is not positive.
    """
    law = normaliser(tilted_normal(event, width, depth, step_size, sweeps))
    loss = noise_contrastive(law, normal((math.prod(event.shape),)), ratio)
    return whitened(Model(law, {"energy": Player(("energy", "constant"), loss)}), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 4000, "batch": 256, "rate": 3e-3, "average": 0.995}
    return {"steps": 3000}


def tiny() -> tuple[Model, Batch]:
    """A normal that is cut in two."""
    return nce(Event((2,)), width=32, depth=2, step_size=0.1, sweeps=60), cut_in_two()
