"""latent_diffusion on the digits: flow matching on the codes of a variational autoencoder.

    python -m experiments.latent_diffusion

Expect test bits/dim about 1.93, importance-weighted 1.88; sliced Wasserstein, MMD within 1.35 of the floor.
Training takes about 21 seconds a seed on one core.
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
    frequencies: int = 8
    solver_steps: int = 8


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("latent_diffusion", config)


if __name__ == "__main__":
    study("latent_diffusion", tyro.cli(Config, description=__doc__))
