"""gaussian_rbm on the digits: sixteen hidden bits under normal units, all states counted.

    python -m experiments.gaussian_rbm

Expect, at seed 0, a bound of 2.08 bits per dimension, beside 2.05 of the digits it learned; sliced
Wasserstein distance is 1.2 and MMD 1.3 times those of fresh digits. 19 seconds on one core.
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
    chains: int = 100
    moves: int = 1
    sweeps: int = 200
    persistent: bool = True
    fast: float = 0.0


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("gaussian_rbm", config)


if __name__ == "__main__":
    study("gaussian_rbm", tyro.cli(Config, description=__doc__))
