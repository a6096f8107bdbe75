"""Two players: a critic that tells data from samples, a generator that it learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import relu, softplus

from ...core import Distribution, Network, each
from .augment import Augmentation


class Game(NamedTuple):
    """What each player descends, of the critic's logits on data and on samples.

    critic:    `(real: f32[b], fake: f32[b]) -> scalar`.
    generator: the same; most games read `fake` alone.

    A logit belongs to ONE example; the i-th of both sides are a pair where a game pairs them.
    """

    critic: Callable[[Any, Any], Any]
    generator: Callable[[Any, Any], Any]


def classified(real, fake):
    """`E softplus(-D(x)) + E softplus(D(G(z)))`: the cross-entropy of telling them apart, in nats."""
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(fake))


# Goodfellow et al. (2014), arXiv:1406.2661: the value of the game itself, and the generator's remedy
# for its vanishing slope where the critic is sure
saturating = Game(classified, lambda real, fake: -jnp.mean(softplus(fake)))
non_saturating = Game(classified, lambda real, fake: jnp.mean(softplus(-fake)))

# Mao et al. (2016), arXiv:1611.04076, with targets 0 for samples, 1 for data, 1 for the generator
least_squares = Game(
    lambda real, fake: (jnp.mean((real - 1) ** 2) + jnp.mean(fake**2)) / 2,
    lambda real, fake: jnp.mean((fake - 1) ** 2) / 2,
)

# Lim & Ye (2017), arXiv:1705.02894
hinge = Game(
    lambda real, fake: jnp.mean(relu(1 - real)) + jnp.mean(relu(1 + fake)),
    lambda real, fake: -jnp.mean(fake),
)

# Arjovsky et al. (2017), arXiv:1701.07875; the critic must be kept Lipschitz by other means
wasserstein = Game(
    lambda real, fake: jnp.mean(fake) - jnp.mean(real),
    lambda real, fake: -jnp.mean(fake),
)

# Jolicoeur-Martineau (2018), arXiv:1807.00734; with R1 and R2 the game of R3GAN, Huang et al. (2025),
# arXiv:2501.05441. Both players see D(x_i) - D(G(z_i)), pair by pair, and never a mean of logits.
relativistic_paired = Game(
    lambda real, fake: jnp.mean(softplus(fake - real)),
    lambda real, fake: jnp.mean(softplus(real - fake)),
)


def adversarial(
    distribution: Distribution,
    critic: Network,
    game: Game = non_saturating,
    penalties: Sequence[Callable[..., Any]] = (),
    name: str = "critic",
    augment: Augmentation | None = None,
):
    """A game over samples of any distribution: `(critic loss, generator loss)`, each a player's loss.

    `critic.apply(params[name], x, cond)` is the scalar logit of ONE example. The critic descends
    `game.critic` plus the `penalties`, each `(judge, key, real: Batch, fake: Batch) -> scalar` where
    `judge(batch)` are logits `f32[b]`; samples are held fixed. The generator descends `game.generator`
    through its samples; logits on data are held fixed.

    With `augment` both sides are augmented before anybody looks, and `carry["augment"]` is its state.
    Raises ValueError if the critic gives anything but a scalar.
    """

    def generated(params, key, batch):
        def one(params, key, x, cond):
            return distribution.sample(params, key, cond)

        return batch._replace(x=each(one, params, key, batch))

    def judge(params, batch):
        logits = jax.vmap(critic.apply, (None, 0, 0))(params[name], batch.x, batch.cond)
        if logits.ndim != 1:
            raise ValueError(
                f"adversarial: got a critic's answer of shape {logits.shape[1:]} for one example, wanted a "
                "scalar; take its only entry"
            )
        return logits

    def sides(params, carry, key, batch):
        """Data and samples as the critic is shown them."""
        draw, change = jax.random.split(key)
        real, fake = batch, generated(params, draw, batch)
        if augment is None:
            return real, fake
        first, second = jax.random.split(change)
        state = carry["augment"]
        return augment.apply(state, first, real), augment.apply(state, second, fake)

    def critic_loss(params, carry, key, batch):
        play, pay = jax.random.split(key)
        real, fake = jax.lax.stop_gradient(sides(params, carry, play, batch))
        logits = judge(params, real)
        played = game.critic(logits, judge(params, fake))
        paid = sum(
            penalty(partial(judge, params), jax.random.fold_in(pay, i), real, fake)
            for i, penalty in enumerate(penalties)
        )
        metrics = {name: played, f"{name}_penalty": jnp.asarray(paid, played.dtype)}
        if augment is not None:
            state = augment.update(carry["augment"], jax.lax.stop_gradient(logits))
            carry = carry | {"augment": state}
            metrics |= {"augment": state}
        return played + paid, (carry, metrics)

    def generator_loss(params, carry, key, batch):
        play, _ = jax.random.split(key)  # the critic pays its penalties by the other
        real, fake = sides(params, carry, play, batch)
        played = game.generator(jax.lax.stop_gradient(judge(params, real)), judge(params, fake))
        return played, (carry, {"generator": played})

    return critic_loss, generator_loss
