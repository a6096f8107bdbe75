"""Learning an energy by contrast: lower on data, higher where the model's own chains are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Density, Distribution, Maybe, Unnormalized, each
from ..core.check import not_negative, positive
from ..distributions.over_labels import as_maybe

Move = Callable[..., Any]  # (params, key, x, cond) -> x, and leaves the model's law as it is
FORGOTTEN = 0.05  # of the fast weights, at every update


def contrastive_divergence(distribution: Distribution[Unnormalized], move: Move, steps: int = 1):
    """`mean log f(x') - mean log f(x)`, x' so many moves from each example x: CD-k, a player's loss.

    Its slope is `E_x[dE] - E_x'[dE]`, x' held fixed: that of the negative log-likelihood as `steps` grows.
    The number itself is no bound on anything, and need not fall.

    Hinton (2002), Neural Computation 14. Raises ValueError for no steps.
    """
    positive("contrastive_divergence", steps=steps)

    def loss(params, carry, key, batch):
        walk, look = jax.random.split(key)
        away = walked(move, steps, params, walk, batch)
        value = lost_with(contrast(distribution, params, look, batch, away), away.x)
        return value, (carry, {"contrast": value})

    return loss


def persistent_contrast(
    distribution: Distribution[Unnormalized],
    move: Move,
    start: Callable[..., Any],
    steps: int = 1,
    renewed: float = 0.0,
    fast: float = 0.0,
    carried: Distribution[Density] | None = None,
    moved: int = 0,
):
    """As `contrastive_divergence`, but x' are `carry["chains"]`, which go on from update to update.

    The model changes slowly, and they follow it. Each is begun afresh by `start(key)` with probability
    `renewed`, on its own. A chain keeps its label, as the law it follows is that of x given it, and counts as
    much as its label does in the batch; examples of a label that no chain has are left out. Where many are
    carried, a replay buffer, `moved` of them, drawn anew for each update, are all that it looks at. With
    `fast > 0` the chains move under other parameters, which take steps of that rate down the same slope and
    forget a twentieth of them at every update: where a chain stays, the energy rises at once, and it leaves.

    `chains_of(distribution, start, count)` is what the model carries. Where `distribution` is a prior
    and `carried` the model of data that a decoder makes of it, chains are of the prior and data are judged by
    the model: the slope is that of its bound, constant and all, for energy, decoder and encoder alike.

    Tieleman (2008), ICML; Tieleman & Hinton (2009), ICML (fast weights); Du & Mordatch (2019),
    arXiv:1903.08689 (chains renewed, 5% of them); Pang et al. (2020), arXiv:2006.08205 (priors).
    Raises ValueError unless `renewed` is in [0, 1], for `fast` where nothing fast is carried, or for examples
    without labels where chains have some, or for more chains `moved` than there are.
    """
    positive("persistent_contrast", steps=steps)
    not_negative("persistent_contrast", fast=fast)
    if not 0 <= renewed <= 1:
        raise ValueError(
            f"persistent_contrast: got renewed={renewed}, wanted a probability; 0.05 is usual"
        )

    def loss(params, carry, key, batch):
        fresh, which, walk, look = jax.random.split(key, 4)
        kept, quick = (carry["chains"], carry.get("labels")), carry.get("fast", {})
        size = len(jax.tree.leaves(kept)[0])
        if not 0 <= moved <= size:
            raise ValueError(
                f"persistent_contrast: got moved={moved} of {size} chains, wanted at most all of them; 0 "
                "moves all in every update"
            )
        # the same chain twice would be written back once
        rows = jax.random.permutation(jax.random.fold_in(which, 1), size)[: moved or None]
        chains, labels = jax.tree.map(lambda c: c[rows], kept) if moved else kept
        if fast and not quick:
            raise ValueError(
                f"persistent_contrast: got fast={fast} and chains without fast parameters, wanted some; name "
                "their blocks to chains_of(..., fast=...)"
            )
        if renewed:
            count = moved or size
            new = jax.vmap(start)(jax.random.split(fresh, count))
            again = jax.random.uniform(which, (count,)) < renewed
            chains = jax.vmap(either)(again, new, chains)
        begun, weights = batch._replace(x=chains, cond=labels), None
        if begun.cond is not None:
            if batch.cond is None:
                raise ValueError(
                    "persistent_contrast: got chains with labels and examples without, wanted a condition "
                    "for each; pass Maybe(label, False) where there is none"
                )
            weights = as_often(jax.vmap(as_maybe)(batch.cond), begun.cond)
        moved_by = params | {b: jax.tree.map(jnp.add, params[b], quick[b]) for b in quick}
        away = walked(move, steps, moved_by, walk, begun)

        def value_of(params):
            return contrast(distribution, params, look, batch, away, carried, weights)

        back = jax.tree.map(lambda c, x: c.at[rows].set(x), kept[0], away.x) if moved else away.x
        carry = carry | {"chains": back}
        if fast:
            slope = jax.grad(value_of)(params)
            carry["fast"] = {
                b: jax.tree.map(lambda q, g: (1 - FORGOTTEN) * q - fast * g, quick[b], slope[b])
                for b in quick
            }
        value = lost_with(value_of(params), away.x)
        return value, (carry, {"contrast": value})

    return loss


def lost_with(value, chains):
    """A loss that is not a number once a chain is none: a bounded energy would not tell."""
    reals = [x for x in jax.tree.leaves(chains) if jnp.issubdtype(x.dtype, jnp.floating)]
    # added, as the mean it joins is: devices that share the chains need no word about it before the slope
    return value + sum(jnp.where(jnp.isfinite(x), 0.0, jnp.nan).sum() for x in reals)


def chains_of(
    distribution: Distribution[Any],
    start: Callable[..., Any],
    count: int,
    labels: Maybe | None = None,
    fast: tuple[str, ...] = (),
):
    """`key -> {"chains": [count, *event]}`, their labels, and fast parameters, zero, of the blocks so named.

    Labels are `Maybe` of `[count]`, such as `in_turn(count, classes)`; without them the law asks for none.
    """
    positive("chains_of", count=count)

    def carry(key):
        begun: dict[str, Any] = {"chains": jax.vmap(start)(jax.random.split(key, count))}
        if labels is not None:
            begun["labels"] = labels
        if fast:
            shapes = jax.eval_shape(distribution.init, key)
            begun["fast"] = {
                b: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes[b]) for b in fast
            }
        return begun

    return carry


def in_turn(count: int, classes: int) -> Maybe | None:
    """`Maybe` labels `0 .. classes - 1` and none, over and over; None without classes.

    Raises ValueError for fewer chains: what is known of a label without one would be left out.
    """
    if not classes:
        return None
    if count <= classes:
        raise ValueError(
            f"chains: got {count} for {classes} labels and none, wanted at least {classes + 1}; pass more"
        )
    turn = jnp.arange(count) % (classes + 1)
    return Maybe(turn % classes, turn < classes)


def as_often(batch: Maybe, chains: Maybe):
    """Weights of examples, and of chains, which sum to one: each label has as much in both.

    `sum_c p(c) (E[.|c] of data - E[.|c] of the model)`, p the shares in the batch of labels some chain has.
    """
    there = batch.present[:, None] & chains.present
    same = jnp.where(
        there, batch.value[:, None] == chains.value, ~batch.present[:, None] & ~chains.present
    )
    many = same.sum(1)
    known = jnp.where(many > 0, 1.0, 0.0) / jnp.maximum((many > 0).sum(), 1)
    return known, (known / jnp.maximum(many, 1)) @ same


def either(choice, new, old):
    return jax.tree.map(lambda a, b: jnp.where(choice, a, b), new, old)


def walked(move: Move, steps: int, params, key, batch):
    """The batch, every example so many moves further, held fixed."""

    def one(params, key, x, cond):
        if steps == 1:  # by the key itself: on small batches keys are a third of the walk
            return move(params, key, x, cond)
        keys = jax.random.split(key, steps)
        return jax.lax.scan(lambda x, k: (move(params, k, x, cond), None), x, keys)[0]

    return jax.lax.stop_gradient(batch._replace(x=each(one, params, key, batch)))


def in_pairs(a, b):
    """`[n, ...]` each -> `[2n, ...]`: of every two neighbours one of a and one of b."""
    return jnp.stack([a, b], 1).reshape(-1, *a.shape[1:])


def contrast(distribution, params, key, here, away, carried=None, weights=None):
    """`mean log f` there less here, where it may be that of another law; of one law both in one pass.

    `weights` are of the examples here, and of those there, in place of equal ones.
    """
    fn = distribution.density.fn
    if carried is not None:
        there, data = each(fn, params, key, away), each(carried.density.fn, params, key, here)
    else:
        here = here if weights is None else here._replace(cond=jax.vmap(as_maybe)(here.cond))
        count, others = (len(jax.tree.leaves(batch.x)[0]) for batch in (here, away))
        if count == others:  # in turn: where examples are divided among devices, none has to move
            data, there = each(fn, params, key, jax.tree.map(in_pairs, here, away)).reshape(-1, 2).T
        else:
            both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), here, away)
            nats = each(fn, params, key, both)
            data, there = nats[:count], nats[count:]
    if weights is None:
        return there.mean() - data.mean()
    return weights[1] @ there - weights[0] @ data
