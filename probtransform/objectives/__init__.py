"""Objectives: from a distribution to a player's loss."""

from .adversarial import adversarial
from .likelihood import likelihood
from .matching import matching

__all__ = ["adversarial", "likelihood", "matching"]
