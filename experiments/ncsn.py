"""ncsn on the digits: annealed Langevin dynamics on normal scores.

    python -m experiments.ncsn

Expect sliced Wasserstein and MMD within 1.4 of the floor; there is no density.
Training takes about 35 seconds a seed on one core.
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
    batch: int = 256
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 256
    depth: int = 3
    frequencies: int = 8
    noise_levels: int = 64
    repeats: int = 4


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("ncsn", config)


if __name__ == "__main__":
    study("ncsn", tyro.cli(Config, description=__doc__))
