"""An energy taught by score matching: neither its constant nor a chain is asked for."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player
from ..objectives import denoising_score_matching, score_of
from .energies import cut_in_two
from .tilted_normal import tilted_normal
from .whitened import whitened


def score_ebm(
    event: Event,
    width: int = 128,
    depth: int = 3,
    noise: float = 0.1,
    step_size: float = 0.05,
    sweeps: int = 200,
) -> Model:
    """A `tilted_normal`, `-grad E - z` its score, matched to that of data blurred by `noise` deviations.

    What lies between far modes is not seen, nor therefore how much each of them weighs. A sample is the end
    of a chain. Claim on reals: Unnormalized; rounding to levels leaves a bound up to a constant.

    Example: `score_ebm(Event((2,)))` samples `f32[2]`.
    Vincent (2011), Neural Computation 23; Song & Kingma (2021), arXiv:2101.03288.
    Raises ValueError for a size less than one, or a `noise` or `step_size` that is not positive.
    """
    law = tilted_normal(event, width, depth, step_size, sweeps)
    loss = denoising_score_matching(score_of(law, "energy"), "energy", noise)
    return whitened(Model(law, {"energy": Player(("energy",), loss)}), event)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 4000, "batch": 256, "rate": 3e-3, "average": 0.995}
    return {"noise": 0.3, "steps": 3000}


def tiny() -> tuple[Model, Batch]:
    """A normal that is cut in two."""
    model = score_ebm(Event((2,)), width=32, depth=2, noise=0.3, step_size=0.03, sweeps=100)
    return model, cut_in_two()
