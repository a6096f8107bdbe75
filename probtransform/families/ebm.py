"""The energy-based model: a normal tilted by a network, taught by chains that go on."""

from __future__ import annotations

from ..core import Batch, Event, Model
from .energies import body_of, cut_in_two, energetic, energy_of


def ebm(
    event: Event,
    width: int = 128,
    depth: int = 2,
    chains: int = 100,
    moves: int = 5,
    step_size: float = 0.1,
    renewed: float = 0.05,
    sweeps: int = 200,
    buffer: int = 0,
) -> Model:
    """`p(x) = N(x; m, S) exp(-E(x)) / Z`, E a network, m and S the mean and covariance of the data.

    A sample is the end of a chain. Claim on reals: Unnormalized; rounding to levels leaves a bound up to a
    constant, with nothing to report. `E(x, y) = -f(x)[y]` with a label y, and where it is absent
    `E(x) = -log sum_y exp f(x)[y]`. With a `buffer` of more than the `chains` that walk in an update, those
    are drawn from it, and go back there: samples of long ago are contrasted too.

    Example: `ebm(Event((2,)))` samples `f32[2]`. LeCun et al. (2006); Du & Mordatch (2019),
    arXiv:1903.08689; Nijkamp et al. (2019), arXiv:1903.12370.
    Raises ValueError for a size less than one, or a `step_size` or `renewed` out of range.
    """
    energy = energy_of(body_of(event, max(event.classes, 1), width, depth), event.classes)
    return energetic(event, energy, chains, moves, step_size, renewed, sweeps, buffer)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"moves": 10, "step_size": 0.01, "steps": 4000}
    return {"steps": 2000}


def tiny() -> tuple[Model, Batch]:
    """A normal that is cut in two."""
    return ebm(Event((2,)), width=16, chains=64, moves=5, step_size=0.1, sweeps=100), cut_in_two()
