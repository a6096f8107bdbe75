"""How the bridges of energies are trained: one recipe, chains, and the flow that two of them begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from probtransform.core import Batch, Model
from probtransform.families.realnvp import realnvp
from probtransform.objectives import persistent_contrast
from probtransform.objectives.contrastive_divergence import chains_of
from probtransform.training import Recipe, averaged, fit, optimizer

from .ring import EVENT


@dataclass(frozen=True)
class Config:
    """ratio: draws of the noise for an example.  test: samples of each to judge by."""

    bridges: tuple[str, ...] = ("machine", "generator", "flow", "prior")
    seed: int = 0
    steps: int = 3000
    batch: int = 512
    rate: float = 3e-3
    average: float = 0.998
    width: int = 64
    depth: int = 2
    hidden: int = 4
    machine_rate: float = 0.1
    chain_rate: float = 1e-3
    layers: int = 4
    flow_width: int = 32
    ratio: int = 4
    chains: int = 512
    moves: int = 5
    sweeps: int = 500
    train: int = 100_000
    test: int = 4000
    out: Path | None = None


def trained(model: Model, data: Batch, config: Config, start: dict | None = None, **changed):
    """The averaged parameters, of blocks in `start` from where those are."""

    def prepare(params, key, batch):
        return model.prepare(params, key, batch) | (start or {})

    numbers = {name: getattr(config, name) for name in ("steps", "batch", "rate", "average")}
    recipe = Recipe(**numbers | changed)
    run = fit(
        model._replace(prepare=prepare),
        optimizer(recipe),
        data,
        steps=recipe.steps,
        batch=recipe.batch,
        seed=config.seed,
    )
    return jax.block_until_ready(averaged(run.state))


def chain(law, kernel, base, config: Config, carried, renewed=0.0) -> tuple[Any, Any]:
    """The loss of persistent chains of a law, begun in its base, and what they carry."""

    def move(params, key, x, cond):
        return kernel(key, x, lambda x: law.density.fn(params, key, x, cond))[0]

    def start(key):
        return base.sample({}, key, None)

    loss = persistent_contrast(law, move, start, renewed=renewed, carried=carried)
    return loss, chains_of(law, start, config.chains)


def flow_of(data: Batch, config: Config):
    model = realnvp(EVENT, config.layers, config.flow_width)
    return model.distribution, trained(model, data, config)
