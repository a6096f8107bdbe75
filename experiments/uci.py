"""Tabular densities: neural spline flows on the five sets of Papamakarios et al. (2017). Not run here.

    python -m experiments.uci --name miniboone --path miniboone.npz

`path` holds the published split, standardised as published, as arrays `train` and `test`, `f32[N, d]`; the
sets are at doi:10.5281/zenodo.1161203. Settings follow the recipe of Durkan et al. (2019), arXiv:1906.04032:
ten autoregressive spline layers of 8 bins, 2 x 256 hidden units, Adam under a cosine. Printed beside the
result are the published test log-likelihoods in nats; none of them is a claim about this code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax
import numpy as np
import tyro

from probtransform.core import Batch, Event, log_density_many
from probtransform.families.spline_autoregressive import spline_autoregressive
from probtransform.training import Recipe, averaged, fit, optimizer

# Papamakarios et al. (2017), arXiv:1705.07057, table 1; Durkan et al. (2019), table 1
PUBLISHED = {
    "power": {"Gaussian": -7.74, "MAF (10)": 0.24, "FFJORD": 0.46, "RQ-NSF (AR)": 0.66},
    "gas": {"Gaussian": -3.58, "MAF (10)": 10.08, "FFJORD": 8.59, "RQ-NSF (AR)": 13.09},
    "hepmass": {"Gaussian": -27.93, "MAF (10)": -17.73, "FFJORD": -14.92, "RQ-NSF (AR)": -14.01},
    "miniboone": {"Gaussian": -37.24, "MAF (10)": -12.24, "FFJORD": -10.43, "RQ-NSF (AR)": -9.22},
    "bsds300": {"Gaussian": 96.67, "MAF (10)": 154.93, "FFJORD": 157.40, "RQ-NSF (AR)": 157.31},
}


@dataclass(frozen=True)
class Config:
    name: Literal["power", "gas", "hepmass", "miniboone", "bsds300"]
    path: Path
    seed: int = 0
    steps: int = 400_000
    batch: int = 512
    rate: float = 5e-4
    layers: int = 10
    width: int = 256
    depth: int = 2
    bins: int = 8


def main(config: Config) -> float:
    """Train, and print the mean test log-likelihood in nats with its standard error."""
    with np.load(config.path) as file:
        train, test = (np.asarray(file[part], np.float32) for part in ("train", "test"))
    event = Event(train.shape[1:])
    model = spline_autoregressive(event, config.layers, config.width, config.depth, config.bins)
    recipe = Recipe(config.steps, config.batch, config.rate, average=0.999, clip=5.0)
    done = fit(
        model,
        optimizer(recipe),
        Batch(train),
        steps=config.steps,
        batch=config.batch,
        seed=config.seed,
    )
    params, key = averaged(done.state), jax.random.key(config.seed)
    nats = np.asarray(log_density_many(model.distribution, params, key, test), np.float64)
    print(
        f"{config.name}: {nats.mean():.3f} +- {nats.std() / len(nats) ** 0.5:.3f} nats, "
        f"{len(test)} test rows"
    )
    print("published:", ", ".join(f"{k} {v}" for k, v in PUBLISHED[config.name].items()))
    return float(nats.mean())


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
