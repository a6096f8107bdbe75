"""Bases, observation models, and the chain rule."""

from .autoregressive import autoregressive
from .base import normal, uniform
from .observation import Observation, categorical, discretized_logistic, gaussian

__all__ = [
    "Observation",
    "autoregressive",
    "categorical",
    "discretized_logistic",
    "gaussian",
    "normal",
    "uniform",
]
