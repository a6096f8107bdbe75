"""denoising_autoencoder on the digits: examples rebuilt from blurred ones, and a mixture over their codes.

    python -m experiments.denoising_autoencoder

Expect sliced Wasserstein about 1.9 and MMD about 2.1 of the floor, seen in one seed.
Training takes about 27 seconds a seed on one core.
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
    average: float = 0.995
    clip: float = 1.0
    latent: int = 16
    width: int = 256
    depth: int = 2
    components: int = 10
    noise: float = 0.2


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("denoising_autoencoder", config)


if __name__ == "__main__":
    study("denoising_autoencoder", tyro.cli(Config, description=__doc__))
