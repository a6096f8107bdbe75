"""Samples of a trained model from the middle of its base: less variety, each more typical."""

from __future__ import annotations

from typing import Any

import jax

from ..core import Distribution
from ..core.distribution import stages_of


def truncated(distribution: Distribution[Any], threshold: float) -> Distribution[None]:
    """The law of a normal base's push when its entries are drawn again until all are within `threshold`.

    The base is what the first of the distribution's `stages` is; parameters are the distribution's own.
    As the threshold grows it becomes the distribution itself. A claim is lost, since the base is another.
    Example: `truncated(model.distribution, 0.5)` of a trained GAN.

    Brock et al. (2018), arXiv:1809.11096. Raises ValueError unless the threshold is above zero.
    """
    if not threshold > 0:
        raise ValueError(
            f"truncated: got threshold={threshold}, wanted a number > 0; 2 cuts 5% of a normal"
        )
    stages = stages_of(distribution)

    def sample(params, key, cond=None):
        draw, carry = jax.random.split(key)
        base = jax.eval_shape(stages, params, carry, cond)[0]
        z = jax.random.truncated_normal(draw, -threshold, threshold, base.shape, base.dtype)
        return stages(params, carry, cond, z)[-1]

    return Distribution(distribution.init, sample, None)
