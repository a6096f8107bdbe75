"""Score matching without noise: a score learned from data whose own score nobody knows."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Network


def score_matching(network: Network, name: str, probes: int | None = None):
    """`E[tr ds/dx + |s|^2 / 2] / d`, which is `E |s - grad log p|^2 / 2d` up to a constant. A player's loss.

    `network.apply(params[name], x, cond)` is the score s, of the shape of x. The trace is exact, d products
    with the Jacobian an example (implicit score matching), or with `probes` the mean of `v . (ds/dx) v` over
    random signs v (sliced score matching), unbiased. What is far from data is not seen: where there is little
    of it, matching of a noisy path (`matching(..., "score")`, denoising score matching) learns more.

    Hyvärinen (2005), JMLR 6; Song et al. (2019), arXiv:1905.07088. Raises ValueError without a probe.
    """
    if probes is not None and probes < 1:
        raise ValueError(
            f"score_matching: got probes={probes}, wanted at least 1, or None for the exact trace"
        )

    def directions(key, x):
        if probes is None:
            return jnp.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
        return jax.random.rademacher(key, (probes, *x.shape), x.dtype) / probes**0.5

    def error(params, key, x, cond):
        score, along = jax.linearize(lambda x: network.apply(params[name], x, cond), x)
        v = directions(key, x)
        return (jnp.sum(v * jax.vmap(along)(v)) + jnp.sum(score**2) / 2) / x.size

    def loss(params, carry, key, batch):
        keys = jax.random.split(key, len(batch.x))
        mean = jnp.mean(jax.vmap(error, (None, 0, 0, 0))(params, keys, batch.x, batch.cond))
        return mean, (carry, {"score_matching": mean})

    return loss
