"""ebm on the digits: a convolutional energy on a normal, persistent chains.

    python -m experiments.ebm

Expect, at seed 0, a sliced Wasserstein distance and an MMD 1.1 times those of fresh digits.
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
    steps: int = 2000
    batch: int = 128
    rate: float = 1e-3
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 128
    depth: int = 2
    chains: int = 100
    moves: int = 5
    step_size: float = 0.1
    renewed: float = 0.05
    sweeps: int = 200


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("ebm", config)


if __name__ == "__main__":
    study("ebm", tyro.cli(Config, description=__doc__))
