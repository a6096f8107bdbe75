"""The game whose value is a lower bound on an f-divergence of data and model."""

from __future__ import annotations

import jax.numpy as jnp

from ..divergences.f_divergence import FDivergence, dual
from .game import Game


def f_gan(divergence: FDivergence, saturating: bool = True) -> Game:
    """`min_G max_V  E T(V(x)) - E f*(T(V(G(z))))`, the dual bound on D_f(data || model).

    T is the divergence's activation, V the critic's logit: at its best, `divergence.optimal` of the
    log-ratio of data to model. The generator descends the bound itself; with `saturating=False` it climbs
    `E T(V(G(z)))` instead, which has a slope where the critic is sure but bounds nothing.
    With the divergence `gan` both are the games of Goodfellow et al.

    Nowozin et al. (2016), arXiv:1606.00709.
    """

    def bound(real, fake):
        return dual(divergence, real, fake)

    def fooled(real, fake):
        return -jnp.mean(divergence.activation(fake))

    return Game(lambda real, fake: -bound(real, fake), bound if saturating else fooled)
