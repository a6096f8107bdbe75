"""Factors: how well the codes of four autoencoders answer to the factors that sprites were rendered from.

    python -m experiments.factors

Every combination of shape, size and place is one image; each family is trained on four fifths of them, its
seeds in one program, and judged by the means of its encoder on all. Every score is a mean over seeds and its
standard error. Families may be run one at a time: rows that are there already, of the same numbers, are kept.

Expect, of five seeds, a mutual information gap of 0.082 +- 0.006 for `vae`, 0.119 +- 0.022 for `beta_vae`,
0.204 +- 0.036 for `beta_tcvae` and 0.139 +- 0.026 for `factor_vae`; all scores are in
`experiments/results/factors.json`. Eight minutes on a core.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from probtransform.core import Event
from probtransform.data import load, sprites
from probtransform.evaluation.disentanglement import scores
from probtransform.families import registry, vae
from probtransform.training import Recipe, averaged, fit, optimizer

from .spread import shown, spread


@dataclass(frozen=True)
class Config:
    families: tuple[str, ...] = ("vae", "beta_vae", "beta_tcvae", "factor_vae")
    seeds: int = 5
    steps: int = 2500
    batch: int = 128
    rate: float = 2e-3
    average: float = 0.99
    latent: int = 6
    width: int = 128
    depth: int = 2
    beta: float = 16.0
    beta_tc: float = 10.0
    gamma: float = 16.0
    draws: int = 10_000
    trees: int = 1000
    out: Path = Path("experiments/results/factors.json")


def settings(config: Config, family: str, examples: int) -> dict:
    """The family's own numbers."""
    own = {
        "beta_vae": {"beta": config.beta},
        "beta_tcvae": {"beta": config.beta_tc, "examples": examples},
        "factor_vae": {"gamma": config.gamma},
    }
    shape = {"latent": config.latent, "width": config.width, "depth": config.depth}
    return shape | own.get(family, {})


def codes_of(config: Config, event: Event, params, x) -> np.ndarray:
    """The means of the encoder, `[n, latent]`."""
    step = vae.observed(event, config.latent, config.width, config.depth)
    means = jax.jit(jax.vmap(lambda p, x: step.inverse.posterior(p, x)[0], (None, 0)))
    return np.asarray(means(params["decoder"], x), np.float64)


def judged(config: Config, family: str) -> list[dict]:
    """A row of scores for each seed."""
    data, grid = load("sprites"), sprites()
    began = time.monotonic()
    model = registry[family].build(data.event, **settings(config, family, len(data.train.x)))
    recipe = Recipe(config.steps, config.batch, config.rate, average=config.average)
    train = partial(fit, model, optimizer(recipe), data.train, steps=recipe.steps)
    fitted = train(batch=recipe.batch, seeds=config.seeds)
    seconds = time.monotonic() - began
    rows, params_of = [], averaged(fitted.state)
    for seed in range(config.seeds):
        alone = config.seeds == 1
        params = params_of if alone else jax.tree.map(lambda leaf, i=seed: leaf[i], params_of)
        codes = codes_of(config, data.event, params, grid.x)
        sizes = {"train": config.draws, "test": config.draws // 2, "trees": config.trees}
        found = scores(codes, grid.values, grid.sizes, jax.random.key(seed), **sizes)
        rows.append({"family": family, "seed": seed, **found, "seconds": seconds / config.seeds})
    last = fitted.history[-1]
    print(family, {k: round(v, 2) for k, v in last.items()}, f"{seconds:.0f} s", flush=True)
    return rows


def main(config: Config) -> list[dict]:
    about = {k: v for k, v in asdict(config).items() if k not in ("families", "out")}
    rows = [row for row in before(config.out, about) if row["family"] not in config.families]
    config.out.parent.mkdir(parents=True, exist_ok=True)
    for family in config.families:
        rows += judged(config, family)
        table = {"config": about, "over_seeds": spreads(rows), "rows": rows}
        config.out.write_text(json.dumps(table, indent=1) + "\n")
    show(rows)
    return rows


def before(out: Path, about: dict) -> list[dict]:
    """Rows that are there already, of the same numbers: families may be run one at a time."""
    found = json.loads(out.read_text()) if out.exists() else {"config": None}
    return found["rows"] if found["config"] == about else []


def of_families(rows: list[dict]) -> dict[str, dict[str, list[float]]]:
    """`{family: {score: a number for each seed}}`."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        own = found.setdefault(row["family"], {})
        for name in row.keys() - {"family", "seed", "seconds"}:  # all seeds are one program
            own.setdefault(name, []).append(row[name])
    return found


def spreads(rows: list[dict]) -> dict:
    return {
        family: {name: spread(values) for name, values in sorted(scores.items())}
        for family, scores in of_families(rows).items()
    }


def show(rows: list[dict]) -> None:
    found = of_families(rows)
    table = Table("score", *found, title=f"sprites, {1 + max(r['seed'] for r in rows)} seeds")
    for name in rows[0]:
        if name in next(iter(found.values())):
            table.add_row(name, *(shown(scores[name]) for scores in found.values()))
    Console().print(table)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
