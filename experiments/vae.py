"""vae on the digits: a small VAE with a discretised logistic observation.

    python -m experiments.vae

Expect 1.88 bits per dimension (importance bound), seen in one seed.
Training takes about 9 seconds a seed on two cores.
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


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("vae", config)


if __name__ == "__main__":
    study("vae", tyro.cli(Config, description=__doc__))
