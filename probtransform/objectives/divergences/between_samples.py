"""Any distance of two samples as the loss of any distribution that can be sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core import Distribution, each


def divergence_between_samples(
    distribution: Distribution[Any], distance: Callable[[Any, Any, Any], Any]
):
    """The loss `distance(key, x, y)` of as many draws x as there are examples y: a player's loss.

    Both are laid out as `f32[n, d]`, whatever one example's shape. A draw is conditioned as the example
    in its place, and the distance does not see conditions: of a model with labels it compares the mixture
    of all classes. Gradients reach the parameters through the draws, so the map must be smooth in them: no
    rounding. `key` serves distances that draw directions.

    Example: `divergence_between_samples(flow, lambda key, x, y: sinkhorn_divergence(x, y, 0.1))`.
    Raises ValueError for draws or data that are not reals.
    """

    def draw(params, key, x, cond):
        return distribution.sample(params, key, cond)

    def loss(params, carry, key, batch):
        first, second = jax.random.split(key)
        made = each(draw, params, first, batch)
        value = distance(second, rows(made), rows(batch.x))
        return value, (carry, {"divergence": value})

    return loss


def rows(x):
    if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
        raise ValueError(
            f"divergence_between_samples: got {jnp.result_type(x)} numbers, wanted reals, which alone "
            "pass gradients; leave rounding out, as `as_reals` and `through` do"
        )
    return x.reshape(len(x), -1)
