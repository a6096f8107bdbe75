"""Objectives: from a distribution to a player's loss."""

from . import coupling, weights
from .adversarial import adversarial
from .likelihood import likelihood
from .matching import matching
from .reverse_kl import reverse_kl

__all__ = ["adversarial", "coupling", "likelihood", "matching", "reverse_kl", "weights"]
