"""dbm on the digits: sixteen hidden bits, all states counted, between softmax units and sixteen more bits.

    python -m experiments.dbm

Expect, at seed 0, a bound of 2.12 bits per dimension, with or without importance weights, beside 1.89 of the
digits it learned, about those of an `rbm` of as many; sliced Wasserstein distance is 1.7 and MMD 1.6 times
those of fresh digits. Three minutes on a busy core.
"""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from .study import build as build_run
from .study import study


@dataclass(frozen=True)
class Config:
    data: str = "digits"
    seeds: int = 3
    steps: int = 4000
    batch: int = 100
    rate: float = 0.01
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1e9
    hidden: int = 16
    top: int = 16
    chains: int = 100
    moves: int = 1
    sweeps: int = 200
    bins: int = 32


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("dbm", config)


if __name__ == "__main__":
    study("dbm", tyro.cli(Config, description=__doc__))
