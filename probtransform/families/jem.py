"""The joint energy-based model: a classifier whose logits are an energy of example and label."""

from __future__ import annotations

from functools import partial

from ..core import Batch, Event, Model, Network
from ..core.check import above_zero
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
    buffer: int = 0,
    contrast_weight: float = 1.0,
    temperature: float = 1.0,
) -> Model:
    """`p(y|x) = softmax(f(x))[y]` and `p(x) = N(x; m, S) (sum_y exp f(x)[y])^(1/T) / Z`, of logits f.

    At the `temperature` T = 1 that is `p(x, y) = N(x; m, S) exp(f(x)[y]) / Z`. Below it the same energy asks
    for smaller logits: what separates images from all else, hundreds of nats, does not make labels as sure.
    f is T times the network.

    One player, two losses: the cross-entropy of labels, and the contrast of chains of p(x), times
    `contrast_weight`. The condition is a label, or `Maybe` of one where some examples have none; without
    classes it is an `ebm`. Claim on reals: Unnormalized; on levels a bound up to a constant. Both are enough
    to classify: `log p(x, y)` differs between labels by their logits.

    Example: `jem(Event((8, 8, 1), 17, classes=10))` samples `u8[8, 8, 1]` of a label, or `Maybe` one.
    Grathwohl et al. (2020), arXiv:1912.03263. Raises ValueError as `ebm` does, for a negative weight, or a
    temperature that is not above zero.
    """
    above_zero("jem", temperature=temperature)
    body = body_of(event, max(event.classes, 1), width, depth)
    logits = Network(body.init, lambda params, x: temperature * body.apply(params, x))
    told = partial(
        joint_energy, logits=logits, name="energy", classes=event.classes, weight=contrast_weight
    )
    sizes = (chains, moves, step_size, renewed, sweeps, buffer)
    taught = told if event.classes else None
    return energetic(event, energy_of(logits, event.classes, temperature), *sizes, taught)


def preset(event: Event) -> dict:
    return ebm.preset(event) | ({} if event.levels is None else {"steps": 3000, "temperature": 0.4})


def tiny() -> tuple[Model, Batch]:
    """Without labels, as a family is trained unless told."""
    _, batch = ebm.tiny()
    model = jem(Event((2,)), width=16, chains=64, moves=5, step_size=0.1, sweeps=100)
    return model, batch
