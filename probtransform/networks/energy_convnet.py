"""A smooth convolutional energy: no norms, no corners, since its slope in x is what moves the chains."""

from __future__ import annotations

import math
from itertools import pairwise

import jax
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import Conv, Halving
from .linear import Linear
from .pyramid import Shape, pyramid, reach_of


class EnergyConvNet(nnx.Module):
    """`f32[h, w, c] -> f32[outputs]`: a convolution, halvings, a hidden layer; SiLU between them all."""

    def __init__(self, shape: Shape, outputs: int, width: int, quiet: bool, rngs: nnx.Rngs):
        grids = pyramid(shape, width)[::-1]
        size = math.prod(grids[-1])
        last = nnx.initializers.zeros if quiet else nnx.initializers.lecun_normal()
        self.first = Conv(shape[2], width, rngs, reach_of(shape))
        self.halvings = nnx.List([Halving(a[2], b[2], rngs) for a, b in pairwise(grids)])
        self.hidden = Linear(size, 4 * width, rngs=rngs)
        self.last = Linear(4 * width, outputs, kernel_init=last, rngs=rngs)

    def __call__(self, x):
        x = jax.nn.silu(self.first(x))
        for halving in self.halvings:
            x = jax.nn.silu(halving(x))
        return self.last(jax.nn.silu(self.hidden(x.reshape(-1))))


def energy_convnet(shape: Shape, outputs: int = 1, width: int = 16, quiet: bool = False) -> Network:
    """The body as a `Network`, `f32[*shape] -> f32[outputs]`; zero at first if `quiet`.

    Norms would make the energy forget how far x is from data. Du & Mordatch (2019), arXiv:1903.08689;
    Nijkamp et al. (2019), arXiv:1903.12370 (smooth activations).
    Raises ValueError if a size is less than one.
    """
    positive("energy_convnet", outputs=outputs, width=width)
    return from_nnx(lambda rngs: EnergyConvNet(shape, outputs, width, quiet, rngs))
