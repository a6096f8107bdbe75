"""Maximum likelihood, of whatever bound the distribution claims."""

from __future__ import annotations

import jax.numpy as jnp

from ..core import Bound, Distribution, each


def likelihood(distribution: Distribution[Bound]):
    """The loss `-mean log p(x)` over a batch, in nats, one fresh key an example: a player's loss."""

    def loss(params, carry, key, batch):
        nats = -jnp.mean(each(distribution.density.fn, params, key, batch))
        return nats, (carry, {"nats": nats})

    return loss
