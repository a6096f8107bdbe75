"""gaussian on the digits: the honest floor and a check of the bookkeeping.

    python -m experiments.gaussian

Expect 2.96 +- 0.02 bits per dimension (plain bound).
Training takes about a second a seed on two cores.
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
    steps: int = 0
    batch: int = 128
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("gaussian", config)


if __name__ == "__main__":
    study("gaussian", tyro.cli(Config, description=__doc__))
