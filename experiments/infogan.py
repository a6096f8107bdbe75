"""infogan on the digits: a GAN that tells ten categories and two factors back.

    python -m experiments.infogan

Expect, at seed 0, a sliced Wasserstein distance and an MMD to test digits of 1.3 times those of fresh digits;
27 seconds on one core.
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
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    momentum: float = 0.0
    latent: int = 52
    width: int = 128
    depth: int = 3
    categories: int = 10
    factors: int = 2
    strength: float = 0.1
    penalty: float = 1.0


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("infogan", config)


if __name__ == "__main__":
    study("infogan", tyro.cli(Config, description=__doc__))
