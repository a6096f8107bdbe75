"""Matching: learn a field by regression on the path's own, which is known point by point."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr

from ..core import Network, each
from ..paths import Path


def matching(velocity: Network, name: str, path: Path):
    """Conditional flow matching: `E |v(x_t, t) - dx_t/dt|^2 / d` with t uniform, z normal.

    The minimiser is the marginal velocity, whose flow carries the base to the data. `velocity` is
    the network of the block `name`; x are flat vectors. A player's loss.

    Lipman et al. (2022), arXiv:2210.02747.
    """

    def error(params, key, x, cond):
        normals = jax.random.normal(key, (x.size + 1,))  # one stream costs a third of two
        t, z = ndtr(normals[0]), normals[1:]
        v = velocity.apply(params[name], path.point(x, z, t), t, cond)
        return jnp.mean((v - path.velocity(x, z, t)) ** 2)

    def loss(params, carry, key, batch):
        mean = jnp.mean(each(error, params, key, batch))
        return mean, (carry, {"matching": mean})

    return loss
