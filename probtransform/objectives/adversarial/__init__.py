"""Adversaries: games between a critic and a generator, and what keeps a critic smooth."""

from .augment import Augmentation, adaptive
from .clipping import weight_clipping
from .f_gan import f_gan
from .game import (
    Game,
    adversarial,
    hinge,
    least_squares,
    non_saturating,
    relativistic_paired,
    saturating,
    wasserstein,
)
from .penalties import dragan, gradient_penalty, r1, r2

__all__ = [
    "Augmentation",
    "Game",
    "adaptive",
    "adversarial",
    "dragan",
    "f_gan",
    "gradient_penalty",
    "hinge",
    "least_squares",
    "non_saturating",
    "r1",
    "r2",
    "relativistic_paired",
    "saturating",
    "wasserstein",
    "weight_clipping",
]
