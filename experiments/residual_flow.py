"""residual_flow on the digits: contractions added to the identity on a Gaussian copula.

    python -m experiments.residual_flow

Expect at most 2.14 bits per dimension (bound); seed 0 gave 2.125.
Training takes about 50 seconds a seed on one core.
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
    steps: int = 200
    batch: int = 64
    rate: float = 0.003
    weight_decay: float = 1.0
    average: float = 0.99
    clip: float = 1.0
    layers: int = 4
    width: int = 64
    depth: int = 1
    slope: float = 0.9


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("residual_flow", config)


if __name__ == "__main__":
    study("residual_flow", tyro.cli(Config, description=__doc__))
