"""nce on the digits: an energy and its constant, from data told apart from a Gaussian copula of them.

    python -m experiments.nce

Expect, at seed 0, sliced Wasserstein distance and MMD 1.4 times those of fresh digits; on the moons
(`--data moons --steps 4000 --batch 256 --rate 3e-3 --average 0.995`) both at those of fresh draws, and 0.730
bits per dimension, between 0.710 and 0.750, where the law has 0.727.
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
    steps: int = 3000
    batch: int = 128
    rate: float = 1e-3
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 128
    depth: int = 3
    ratio: int = 4
    step_size: float = 0.05
    sweeps: int = 200


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("nce", config)


if __name__ == "__main__":
    study("nce", tyro.cli(Config, description=__doc__))
