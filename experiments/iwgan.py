"""iwgan on the digits: a GAN whose nearer samples teach more.

    python -m experiments.iwgan

Expect what a GAN gives: a Fréchet distance of 19.5 beside 19.3 in the features of the digits
classifier at 2000 steps, means of twenty seeds (`experiments.iwgan_against_gan`).
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


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("iwgan", config)


if __name__ == "__main__":
    study("iwgan", tyro.cli(Config, description=__doc__))
