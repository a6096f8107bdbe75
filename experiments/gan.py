"""gan on the digits: a non-saturating GAN with R1.

    python -m experiments.gan

Expect, at seed 0, sliced Wasserstein distance and MMD 1.2 times those of fresh digits.
Training takes about 16 seconds a seed on two cores.
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
    latent: int = 64
    width: int = 128
    depth: int = 3
    penalty: float = 1.0
    critic_steps: int = 1


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("gan", config)


if __name__ == "__main__":
    study("gan", tyro.cli(Config, description=__doc__))
