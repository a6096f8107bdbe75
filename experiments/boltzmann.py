"""Boltzmann machines of the digits' bits, judged by their likelihood: every state is counted.

    python -m experiments.boltzmann --out runs/boltzmann.json

Digits above 7 of 16 are 1, 1437 to learn and 360 to be judged, as many of each class in both. A machine of
16 or 20 hidden bits has a constant that is a sum over all their states; so has scikit-learn's, 300 epochs at
rate 0.01 or, of 20, 100 at 0.05, whose own score, a pseudo-likelihood, is beside. `chains` is persistent
contrastive divergence with 100 chains and a sweep an update, `fast chains` the same under fast weights; CD-k
begins k sweeps away, at the examples of each batch; `likelihood` is gradient ascent on the thing itself.
Nats.

Expect, with `--seeds 5`, means and standard errors, scikit-learn's of one seed:

                                 train            test        its own score   seconds each on one core
    independent bits                             -25.22
    chains, 16 hidden       -17.55 +- 0.03   -18.31 +- 0.03                       3
    fast chains, 16 hidden  -17.51 +- 0.03   -18.30 +- 0.04                       3
    CD-1, 16 hidden         -17.58 +- 0.02   -18.38 +- 0.03                       3
    CD-10, 16 hidden        -17.48 +- 0.02   -18.31 +- 0.02                       5
    likelihood, 16 hidden   -17.58 +- 0.03   -18.33 +- 0.02                      27
    chains, 20 hidden       -17.11 +- 0.02   -17.98 +- 0.02                       4
    scikit-learn, 16 hidden -18.39           -18.90              -13.92           2
    scikit-learn, 20 hidden -18.41           -19.17              -14.02           1

scikit-learn's differ from run to run though their seed does not: those of 20 had -20.04 in another. On digits
so few and so plain all ways of 16 end within a tenth of a nat of one another. Six rates of the fast weights
from 0.0001 to 0.1 were tried, of two seeds; their means on the digits they learned lay within 0.05.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np
import tyro
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM

from probtransform.core import Batch, Event, log_density_many
from probtransform.families import registry
from probtransform.training import Recipe, fit, optimizer

from .spread import of_rows, shown

SHAPE = (8, 8, 1)
WAYS: dict[str, dict] = {
    "chains, 16 hidden": {"hidden": 16},
    "fast chains, 16 hidden": {"hidden": 16, "fast": 0.03},
    "CD-1, 16 hidden": {"hidden": 16, "persistent": False},
    "CD-10, 16 hidden": {"hidden": 16, "persistent": False, "moves": 10},
    "likelihood, 16 hidden": {"hidden": 16, "chains": 0},
    "chains, 20 hidden": {"hidden": 20},
}


@dataclass(frozen=True)
class Config:
    """steps: of the chains; gradient ascent takes half.  seeds: of each of ours; scikit-learn's has one."""

    seeds: int = 1
    steps: int = 4000
    batch: int = 100
    rate: float = 1e-2
    peer: bool = True
    out: Path | None = None


def thresholded() -> tuple[np.ndarray, np.ndarray]:
    """`u8[1437, 8, 8, 1]` and `u8[360, 8, 8, 1]`, of 0s and 1s."""
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x > 7, test_size=360, stratify=y, random_state=0)
    train, test = (part.astype(np.uint8).reshape(-1, *SHAPE) for part in parts)
    return train, test


def ours(config: Config, train, test, way: dict, seed: int) -> dict[str, float]:
    model = registry["rbm"].build(Event(SHAPE, levels=2), **way)
    steps = config.steps if way.get("chains", 1) else config.steps // 2
    recipe = Recipe(steps=steps, batch=config.batch, rate=config.rate, clip=1e9)
    began = time.monotonic()
    fitted = fit(model, optimizer(recipe), Batch(train), steps=steps, batch=config.batch, seed=seed)
    params = jax.block_until_ready(fitted.state.params)
    seconds = time.monotonic() - began

    def nats(x):
        found = log_density_many(model.distribution, params, jax.random.key(0), x)
        return float(np.mean(np.asarray(found, np.float64)))

    return {"train": nats(train), "test": nats(test), "seconds": seconds}


def sklearns(train, test, hidden: int, rate: float, epochs: int) -> dict[str, float]:
    """scikit-learn's machine, its states counted in double precision; `says` is its own score."""
    train, test = (x.reshape(len(x), -1).astype(np.float32) for x in (train, test))
    began = time.monotonic()
    machine = BernoulliRBM(hidden, learning_rate=rate, batch_size=10, n_iter=epochs, random_state=0)
    machine.fit(train)
    seconds = time.monotonic() - began
    states = (np.arange(2**hidden)[:, None] >> np.arange(hidden)) & 1
    masses = [
        h @ machine.intercept_hidden_.astype(float)
        + np.logaddexp(0, h @ machine.components_ + machine.intercept_visible_).sum(1)
        for h in np.array_split(states, max(1, len(states) // 2**14))
    ]
    log_z = logsumexp(np.concatenate(masses))
    free = {name: machine._free_energy(x).mean() for name, x in (("train", train), ("test", test))}
    nats = {name: float(-energy - log_z) for name, energy in free.items()}
    return nats | {"says": float(machine.score_samples(test).mean()), "seconds": seconds}


def main(config: Config) -> dict[str, list[dict[str, float]]]:
    train, test = thresholded()
    rows: dict[str, list[dict[str, float]]] = {}

    def tell(name: str, found: list[dict[str, float]]) -> None:
        rows[name] = found
        cells = (f"{key} {shown([one[key] for one in found])}" for key in found[0])
        print(f"{name:28}", "  ".join(cells), flush=True)
        if config.out is not None:
            config.out.parent.mkdir(parents=True, exist_ok=True)
            about = asdict(config) | {"out": str(config.out)}
            over = {way: of_rows(seeds) for way, seeds in rows.items()}
            table = {"config": about, "over_seeds": over, "rows": rows}
            config.out.write_text(json.dumps(table, indent=1) + "\n")

    share = np.clip(train.mean(0), 1e-3, 1 - 1e-3)
    alone = np.where(test, np.log(share), np.log1p(-share)).sum((1, 2, 3)).mean()
    tell("independent bits", [{"test": float(alone)}])
    for name, way in WAYS.items():
        tell(name, [ours(config, train, test, way, s) for s in range(config.seeds)])
    if config.peer:
        tell("scikit-learn, 16 hidden", [sklearns(train, test, 16, 0.01, 300)])
        tell("scikit-learn, 20 hidden", [sklearns(train, test, 20, 0.05, 100)])
    return rows


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
