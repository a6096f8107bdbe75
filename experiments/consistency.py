"""consistency on the digits: one call of a network a sample, on normal scores.

    python -m experiments.consistency

Expect sliced Wasserstein 0.076 beside a floor of 0.065, and MMD 0.064 beside 0.053 (one seed).
Training takes about 20 seconds a seed on one core.
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
    frequencies: int = 2
    damping: float = 1.0
    warm_up: int = 1000
    calls: int = 1


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("consistency", config)


if __name__ == "__main__":
    study("consistency", tyro.cli(Config, description=__doc__))
