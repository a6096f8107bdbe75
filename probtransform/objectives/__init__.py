"""Objectives: from a distribution to a player's loss."""

from . import coupling, discrete, flow_map, times, weights
from .adversarial import adversarial
from .bridge import markovian_fitting
from .geodesic import geodesic_matching, squared_geodesic
from .interpolant import score_and_flow_matching
from .likelihood import likelihood
from .matching import matching
from .reverse_kl import reverse_kl
from .score_matching import score_matching

__all__ = [
    "adversarial",
    "coupling",
    "discrete",
    "flow_map",
    "geodesic_matching",
    "likelihood",
    "markovian_fitting",
    "matching",
    "reverse_kl",
    "score_and_flow_matching",
    "score_matching",
    "squared_geodesic",
    "times",
    "weights",
]
