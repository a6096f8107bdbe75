"""One protocol for every experiment: some seeds of one config, one after another, and their mean."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from probtransform.core import Bound
from probtransform.data import Data, load
from probtransform.evaluation import bits_per_dim, evaluate
from probtransform.families import registry
from probtransform.training import averaged, fit, optimizer
from probtransform.training.run import Run
from probtransform.training.workdir import describe

SHOWN = (
    "bits_per_dim",
    "train_bits_per_dim",
    "bound_bits_per_dim",
    "mmd",
    "sliced_wasserstein",
    "seconds",
)


def build(family: str, config) -> tuple[Run, Data]:
    """The run of a config, for its first seed, and its data."""
    data = load(config.data)
    numbers = {k: v for k, v in asdict(config).items() if k not in ("data", "seeds")}
    return describe(family, data, None, False, 0, numbers), data


def study(family: str, config, results: Path | None = None) -> list[dict]:
    """Train and evaluate each seed alone on the machine, print a row each and the mean.

    `seconds` is everything that training takes, compilation included; evaluation comes after.
    """
    run, data = build(family, config)
    rows = []
    for seed in range(config.seeds):
        jax.clear_caches()
        began = time.monotonic()
        fitted = fit(
            run.model,
            optimizer(run.recipe),
            data.train,
            steps=run.recipe.steps,
            batch=run.recipe.batch,
            seed=seed,
        )
        params = jax.block_until_ready(averaged(fitted.state))
        seconds = time.monotonic() - began
        numbers = evaluate(
            run.model,
            params,
            run.event,
            data.train,
            data.test,
            jax.random.key(seed),
            samples=registry[family].samples,
        )
        numbers["train_bits_per_dim"] = on_train(run, params, data, registry[family].samples)
        rows.append(
            {"family": family, "data": config.data, "seed": seed, **numbers, "seconds": seconds}
        )
    show(rows)
    if results is not None:
        results.write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def on_train(run: Run, params, data: Data, samples: int) -> float | None:
    """Bits per dimension of as many training examples as there are test ones: what was learned by heart."""
    if not isinstance(run.model.distribution.density, Bound):
        return None
    part = jax.tree.map(lambda leaf: leaf[: len(data.test.x)], data.train)
    return bits_per_dim(
        run.model.distribution, params, jax.random.key(0), part, samples=samples
    ).mean


def show(rows: list[dict]) -> None:
    table = Table("seed", *SHOWN, title=f"{rows[0]['family']} on {rows[0]['data']}")
    for row in rows:
        table.add_row(str(row["seed"]), *(cell(row[name]) for name in SHOWN))
    mean = {n: np.mean([row[n] for row in rows]) for n in SHOWN if rows[0][n] is not None}
    table.add_row("mean", *(cell(mean.get(name)) for name in SHOWN))
    floor = {name: rows[0].get(f"{name}_floor") for name in SHOWN}
    table.add_row("floor", *(cell(floor[name]) for name in SHOWN))
    Console().print(table, f"bits per dimension: {rows[0]['bits_per_dim_kind']}")


def cell(value) -> str:
    return "-" if value is None else f"{value:.4g}"
