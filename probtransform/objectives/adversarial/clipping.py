"""Weight clipping: the first way to keep a critic Lipschitz, as the last link of its optax chain."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax


def weight_clipping(limit: float = 0.01) -> optax.GradientTransformation:
    """After every update each parameter goes back to `[-limit, limit]`: projected descent on a box.

    A projection belongs to the optimiser: a critic that clipped inside its own `apply` would have no
    slope at a clipped weight, which then never came back.
    Example: `fit(model, {"critic": optax.chain(optax.rmsprop(5e-5), weight_clipping()), "generator": tx},
    data, steps=1000)`.

    Arjovsky et al. (2017), arXiv:1701.07875. Raises ValueError unless limit is above zero.
    """
    if not limit > 0:
        raise ValueError(f"weight_clipping: got limit={limit}, wanted a number > 0; pass 0.01")

    def update(updates, state, params=None):
        kept = jax.tree.map(lambda u, p: jnp.clip(p + u, -limit, limit) - p, updates, params)
        return kept, state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)
