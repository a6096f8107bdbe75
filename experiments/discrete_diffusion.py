"""discrete_diffusion on the digits: masks that lift, learned by the bound.

    python -m experiments.discrete_diffusion

Expect at most 1.87 bits per dimension (importance bound, K=8); seed 1 alone was run and gave 1.840, and
sliced Wasserstein and MMD within 1.4 times the floor.
Training takes about 75 seconds of one core a seed, evaluation another 40.
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
    steps: int = 1200
    batch: int = 64
    rate: float = 0.004
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 32
    depth: int = 6
    solver_steps: int = 32
    mask: bool = True
    bins: int = 64


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("discrete_diffusion", config)


if __name__ == "__main__":
    study("discrete_diffusion", tyro.cli(Config, description=__doc__))
