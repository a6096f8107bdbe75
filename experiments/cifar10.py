"""CIFAR-10 at 8 bits: a PixelCNN++ at the size of its authors. Not run here.

    python -m experiments.cifar10

Published, in bits per dimension of the test part: RealNVP 3.49, Glow 3.35, FFJORD 3.40, Residual Flow 3.28,
gated PixelCNN 3.03, PixelCNN++ 2.92 (Salimans et al. (2017), arXiv:1701.05517; the last after days on several
accelerators). None of them is a claim about this code. The data are TFDS's `cifar10`.
"""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from .study import build as build_run
from .study import study


@dataclass(frozen=True)
class Config:
    data: str = "cifar10"
    seeds: int = 1
    steps: int = 500_000
    batch: int = 64
    rate: float = 0.001
    weight_decay: float = 0.0
    average: float = 0.9995
    clip: float = 1.0
    width: int = 160
    depth: int = 30
    reach: int = 1
    mixtures: int = 10
    dropout: float = 0.5


def build(config: Config):
    """The run of this config, and its data."""
    return build_run("pixelcnn_pp", config)


if __name__ == "__main__":
    study("pixelcnn_pp", tyro.cli(Config, description=__doc__))
