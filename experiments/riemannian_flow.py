"""riemannian_flow on the digits: flow matching on a torus, each pixel's normal score an angle.

    python -m experiments.riemannian_flow

Expect at most 2.18 bits per dimension, sliced Wasserstein 0.085 and MMD 0.073, within half as much again
of the floor (one seed).
Training takes about 18 seconds a seed on one core.
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
    batch: int = 256
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 256
    depth: int = 3
    frequencies: int = 8
    solver_steps: int = 16


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("riemannian_flow", config)


if __name__ == "__main__":
    study("riemannian_flow", tyro.cli(Config, description=__doc__))
