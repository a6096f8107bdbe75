"""autoregressive on the digits: MADE with smooth logits.

    python -m experiments.autoregressive

Expect at most 2.10 bits per dimension (exact).
Training takes about 10 seconds a seed on two cores.
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
    steps: int = 1000
    batch: int = 128
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    width: int = 512
    depth: int = 2
    waves: int = 8
    dropout: float = 0.5
    bins: int = 64


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("autoregressive", config)


if __name__ == "__main__":
    study("autoregressive", tyro.cli(Config, description=__doc__))
