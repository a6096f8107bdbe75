"""Which of some candidates belongs to x: the law that every contrast between pairs learns."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Distribution, Exact, Network


def among(critic: Network, name: str = "critic") -> Distribution[Exact]:
    """`p(i | x, c_1 .. c_K) = softmax_i f(x, c_i)`: an example is i, its condition `(x, candidates)`.

    `critic.apply(params[name], x, c)` is the scalar f of ONE pair. If all candidates but one are drawn from
    p(c), and that one given x, the best f is `log p(c | x) / p(c)` up to a function of x; minus the
    log-likelihood is InfoNCE, so `likelihood(among(critic))` and `info_nce` are one objective. An i
    that is none of the candidates has probability 0. Claim: Exact.

    Gutmann & Hyvärinen (2010); van den Oord et al. (2018), arXiv:1807.03748.
    Raises ValueError for a condition that is not such a pair.
    """

    def logits(params, cond):
        if not isinstance(cond, tuple) or len(cond) != 2:
            raise ValueError(
                f"among: got {type(cond).__name__} for a condition, wanted (x, candidates); the candidates "
                "have one more axis, the first"
            )
        x, candidates = cond
        return jax.vmap(lambda c: critic.apply(params[name], x, c))(candidates)

    def sample(params, key, cond=None):
        return jax.random.categorical(key, logits(params, cond))

    def log_density(params, key, i, cond=None):
        nats = jax.nn.log_softmax(logits(params, cond))
        return jnp.where((i >= 0) & (i < len(nats)), nats[i], -jnp.inf)

    return Distribution(lambda key: {name: critic.init(key)}, sample, Exact(log_density))
