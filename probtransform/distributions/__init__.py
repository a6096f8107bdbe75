"""Bases, observation models, and the chain rule."""

from .autoregressive import Conditional, autoregressive
from .base import normal, uniform
from .logistic_mixture import mixture_of_logistics
from .observation import Observation, categorical, discretized_logistic, gaussian
from .uniform_on import uniform_on

__all__ = [
    "Conditional",
    "Observation",
    "autoregressive",
    "categorical",
    "discretized_logistic",
    "gaussian",
    "mixture_of_logistics",
    "normal",
    "uniform",
    "uniform_on",
]
