"""dbn on the digits.

    python -m experiments.dbn

Expect
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
    hidden: int = 32
    top: int = 16
    chains: int = 100
    moves: int = 1
    sweeps: int = 200
    bins: int = 32


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("dbn", config)


if __name__ == "__main__":
    study("dbn", tyro.cli(Config, description=__doc__))
