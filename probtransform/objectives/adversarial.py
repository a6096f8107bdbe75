"""Two players: a critic that tells data from samples, a generator that it learns from."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.nn import softplus

from ..core import Distribution, Network, each


def adversarial(
    distribution: Distribution, critic: Network, name: str = "critic", penalty: float = 1.0
):
    """The non-saturating game with R1: `(critic loss, generator loss)`, each a player's loss.

    Critic: `E softplus(-D(x)) + E softplus(D(G(z))) + penalty/2 * E |grad_x D(x)|^2`.
    Generator: `E softplus(-D(G(z)))`. `critic.apply(params, x, cond)` is a scalar logit.

    Goodfellow et al. (2014), arXiv:1406.2661; Mescheder et al. (2018), arXiv:1801.04406.
    """

    def generated(params, key, batch):
        def one(params, key, x, cond):
            return distribution.sample(params, key, cond)

        return batch._replace(x=each(one, params, key, batch))

    def judged(params, batch):
        return jax.vmap(critic.apply, (None, 0, 0))(params[name], batch.x, batch.cond)

    def critic_loss(params, carry, key, batch):
        fake = jax.lax.stop_gradient(generated(params, key, batch))
        logit, slope = jax.vmap(jax.value_and_grad(critic.apply, 1), (None, 0, 0))(
            params[name], batch.x, batch.cond
        )
        game = jnp.mean(softplus(-logit)) + jnp.mean(softplus(judged(params, fake)))
        r1 = jnp.mean(jnp.sum(slope.reshape(len(slope), -1) ** 2, -1))
        return game + penalty / 2 * r1, (carry, {"critic": game, "r1": r1})

    def generator_loss(params, carry, key, batch):
        game = jnp.mean(softplus(-judged(params, generated(params, key, batch))))
        return game, (carry, {"generator": game})

    return critic_loss, generator_loss
