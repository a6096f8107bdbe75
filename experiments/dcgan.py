"""dcgan on the digits: strided convolutions on both sides of the non-saturating game.

    python -m experiments.dcgan

Expect, at seed 0, a sliced Wasserstein distance of 0.076 and an MMD of 0.064, each 1.2 times that of fresh
digits. With a momentum of 0.9 the same game left most modes out: 0.37 and 0.33. Training takes a minute and a
half on a busy core.
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
    batch: int = 64
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.995
    clip: float = 1.0
    momentum: float = 0.0
    latent: int = 64
    width: int = 32
    penalty: float = 0.0


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("dcgan", config)


if __name__ == "__main__":
    study("dcgan", tyro.cli(Config, description=__doc__))
