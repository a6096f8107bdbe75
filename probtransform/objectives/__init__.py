"""Objectives: from a distribution to a player's loss."""

from .adversarial import adversarial
from .likelihood import likelihood
from .matching import matching
from .reverse_kl import reverse_kl

__all__ = ["adversarial", "likelihood", "matching", "reverse_kl"]
