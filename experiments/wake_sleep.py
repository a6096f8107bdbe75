"""wake_sleep on the digits: decoder and encoder by turns, each on the other's draws.

    python -m experiments.wake_sleep

Expect 1.88 bits per dimension (importance bound), sliced Wasserstein and MMD of twice the floor, seen in one
seed. Training takes about 15 seconds a seed on one core.
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
    rate: float = 0.001
    weight_decay: float = 0.3
    average: float = 0.995
    clip: float = 1.0
    latent: int = 16
    width: int = 256
    depth: int = 2


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("wake_sleep", config)


if __name__ == "__main__":
    study("wake_sleep", tyro.cli(Config, description=__doc__))
