"""Who learns what from which loss: a model is a distribution and its players."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from .check import disjoint
from .density import Density
from .distribution import Distribution, Transform, pushforward


class Event(NamedTuple):
    """What one example looks like: all that a family must know of the data.

    shape:   of one example, `(2,)` or `(height, width, channels)`.
    levels:  None for real numbers; K for integers `0 .. K-1` (bytes have 256).
    classes: 0, or C if the condition is a class label `0 .. C-1`.
    """

    shape: tuple[int, ...]
    levels: int | None = None
    classes: int = 0


class Batch(NamedTuple):
    """Examples `x: [batch, *event]`, and a condition for each (a pytree, None if there is none)."""

    x: Any
    cond: Any = None


class Player(NamedTuple):
    """One loss and the parameters it moves.

    owns:   names of the blocks this player moves; a block that nobody owns is frozen.
    loss:   `(params, carry, key, batch) -> (scalar, (carry, metrics))` over a whole batch.
    repeat: updates of this player in one step (critic steps), all on the same batch, with keys of their own.
    """

    owns: tuple[str, ...]
    loss: Callable[..., Any]
    repeat: int = 1


def each(fn: Callable[..., Any], params, key, batch: Batch):
    """`fn(params, key, x, cond)` of every example, each with a key of its own: `[batch, ...]`."""
    keys = jax.random.split(key, len(jax.tree.leaves(batch.x)[0]))
    return jax.vmap(fn, (None, 0, 0, 0))(params, keys, batch.x, batch.cond)


def nothing(key):
    return ()


def as_they_are(params, key, batch):
    return params


class Model(NamedTuple):
    """A distribution, the players that train it, and what they need beside it.

    extra:   `{block name: init}` outside the distribution: a critic, an encoder, a frozen network.
    carry:   `key -> ` what training carries besides parameters: replay buffers, chains, teachers.
    prepare: `(params, key, batch) -> params`, data-dependent initialisation (or a closed form),
             called once before the first step with a large batch.
    """

    distribution: Distribution[Density | None]
    players: dict[str, Player]
    extra: dict[str, Callable[..., Any]] = {}
    carry: Callable[..., Any] = nothing
    prepare: Callable[..., Any] = as_they_are


def initial(model: Model, key) -> dict[str, Any]:
    """All blocks of a model, the distribution's and the extra ones: `key -> {block name: params}`."""
    first, *rest = jax.random.split(key, 1 + len(model.extra))
    extra = {name: init(k) for (name, init), k in zip(model.extra.items(), rest, strict=True)}
    return disjoint("model", model.distribution.init(first), extra)


def through(model: Model, **step: Transform[Density]) -> Model:
    """The same model one transform further: its players learn on data carried back.

    `x` is sent through the transform's inverse, then the players see it as their own data; the
    transform's block is owned by nobody. Rounding makes a model of reals one of bytes, a trained
    decoder makes a prior a latent model.

    Example: `through(flow_matching(Event((64,))), pixels=quantise((8, 8, 1), 17))`.
    """
    ((name, transform),) = step.items()

    def carried_back(params, key, batch):
        z, _ = each(transform.inverse.fn, params[name], key, batch)
        return batch._replace(x=jax.lax.stop_gradient(z))

    def lift(player):
        def loss(params, carry, key, batch):
            encode, learn = jax.random.split(key)
            return player.loss(params, carry, learn, carried_back(params, encode, batch))

        return player._replace(loss=loss)

    def prepare(params, key, batch):
        encode, look = jax.random.split(key)
        return model.prepare(params, look, carried_back(params, encode, batch))

    players = {n: lift(p) for n, p in model.players.items()}
    return Model(
        pushforward(model.distribution, **step), players, model.extra, model.carry, prepare
    )
