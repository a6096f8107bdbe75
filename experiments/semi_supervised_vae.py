"""semi_supervised_vae on the digits: a mixture of VAEs, since no label is told.

    python -m experiments.semi_supervised_vae

Expect, at seed 0, a bound of 1.89 bits per dimension; sliced Wasserstein distance and MMD are 1.7 and 1.8
times those of fresh digits. 40 seconds on one core.
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
    steps: int = 1500
    batch: int = 128
    rate: float = 0.001
    weight_decay: float = 0.3
    average: float = 0.995
    clip: float = 1.0
    latent: int = 16
    width: int = 256
    depth: int = 2
    components: int = 10
    label_weight: float = 1.0


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("semi_supervised_vae", config)


if __name__ == "__main__":
    study("semi_supervised_vae", tyro.cli(Config, description=__doc__))
