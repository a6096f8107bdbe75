"""What energies share that are taught without chains: a normal, fitted to the data, and its tilt."""

from __future__ import annotations

import math

import jax.numpy as jnp

from ..core import Distribution, Event, Network, Unnormalized
from ..distributions import normal
from ..distributions.tilted import tilted
from ..integrate import mala
from .labelled import labelled

FEATURES = 16


def tilted_normal(
    event: Event, width: int, depth: int, step_size: float, sweeps: int
) -> Distribution[Unnormalized]:
    """`N(z; 0, I) exp(-|f(z, label)|^2 / 2) / Z` on `f32[d]`, block "energy", f a perceptron of 16 features.

    No energy is below zero, so that Z is at most one whatever f is. A sample is a normal draw, moved
    `sweeps` times by MALA.
    """
    d = math.prod(event.shape)
    body = labelled(d, FEATURES, event.classes, width, depth)

    def energy(params, z, cond):
        return jnp.sum(body.apply(params, z, cond) ** 2) / 2

    return tilted(normal((d,)), Network(body.init, energy), mala(step_size, sweeps), 1)
