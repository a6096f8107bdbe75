"""The joint energy-based model: a classifier whose logits are an energy of example and label."""

from __future__ import annotations

from functools import partial

from ..core import Batch, Event, Model
from ..objectives.joint_energy import joint_energy
from . import ebm
from .energies import body_of, energetic, energy_of


def jem(
    event: Event,
    width: int = 128,
    depth: int = 2,
    chains: int = 100,
    moves: int = 5,
    step_size: float = 0.1,
    renewed: float = 0.05,
    sweeps: int = 200,
    contrast_weight: float = 1.0,
) -> Model:
    """`p(x, y) = N(x; m, S) exp(f(x)[y]) / Z` with logits f: `p(y|x)` is their softmax, p(x) their logsumexp.

    One player, two losses: the cross-entropy of labels, and the contrast of chains of p(x), times
    `contrast_weight`. The condition is a label, or `Maybe` of one where some examples have none; without
    classes it is an `ebm`. Claim on reals: Unnormalized; on levels a bound up to a constant. Both are enough
    to classify: `log p(x, y)` differs between labels by their logits.

    Example: `jem(Event((8, 8, 1), 17, classes=10))` samples `u8[8, 8, 1]` of a label, or `Maybe` one.
    Grathwohl et al. (2020), arXiv:1912.03263. Raises ValueError as `ebm` does, or for a negative weight.
    """
    body = body_of(event, max(event.classes, 1), width, depth)
    told = partial(
        joint_energy, logits=body, name="energy", classes=event.classes, weight=contrast_weight
    )
    sizes = (chains, moves, step_size, renewed, sweeps)
    taught = told if event.classes else None
    return energetic(event, energy_of(body, event.classes), *sizes, taught)


def preset(event: Event) -> dict:
    return ebm.preset(event) | ({} if event.levels is None else {"steps": 3000})


def tiny() -> tuple[Model, Batch]:
    """Without labels, as a family is trained unless told."""
    _, batch = ebm.tiny()
    model = jem(Event((2,)), width=16, chains=64, moves=5, step_size=0.1, sweeps=100)
    return model, batch
