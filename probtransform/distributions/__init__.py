"""Bases, observation models, and the chain rule."""

from .autoregressive import Conditional, autoregressive
from .base import normal, uniform
from .encoded import Encoded
from .gaussian_mixture import gaussian_mixture, mixture_of
from .logistic_mixture import discretized_logistic_mixture, mixture_of_logistics
from .observation import Observation, bernoulli, categorical, discretized_logistic, gaussian
from .over_labels import over_labels
from .posterior_mixture import posterior_mixture
from .quantised import Quantised, Quantiser
from .uniform_on import uniform_on

__all__ = [
    "Conditional",
    "Encoded",
    "Observation",
    "Quantised",
    "Quantiser",
    "autoregressive",
    "bernoulli",
    "categorical",
    "discretized_logistic",
    "discretized_logistic_mixture",
    "gaussian",
    "gaussian_mixture",
    "mixture_of",
    "mixture_of_logistics",
    "normal",
    "over_labels",
    "posterior_mixture",
    "uniform",
    "uniform_on",
]
