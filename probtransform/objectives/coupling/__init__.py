"""Couplings: which base draw goes with which example."""

from .cost import conditioned, squared, within_classes
from .coupling import Coupling, independent, optimal, sinkhorn, unbalanced

__all__ = [
    "Coupling",
    "conditioned",
    "independent",
    "optimal",
    "sinkhorn",
    "squared",
    "unbalanced",
    "within_classes",
]
