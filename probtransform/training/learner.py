"""The one step: each player in turn descends its loss in the parameters it owns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ..core import Model, initial


class State(NamedTuple):
    """All that training knows, a plain pytree: `params` and `opt` are dicts by block and by player."""

    step: Any
    params: Any
    opt: Any
    carry: Any


class Learner(NamedTuple):
    """init: `(key, batch=None) -> State`, jitted; with a large batch, the model is prepared from it.
    step: `(state, key, batch) -> (state, metrics)`, jitted, the state donated."""

    init: Callable[..., Any]
    step: Callable[..., Any]


def learner(model: Model, tx: optax.GradientTransformation | dict) -> Learner:
    """Training of any model: an `optax` transformation for all players, or `{player: transformation}`.

    The key is folded with the number of the update, so one key serves a run and none is saved. Schedules
    follow the steps of the run, however many updates a player makes in one. Metrics are every player's own,
    and its loss as `loss/<player>`.

    Raises ValueError if a player owns a block that does not exist, or `tx` misses a player.
    """
    players = model.players
    txs = dict(tx) if isinstance(tx, dict) else dict.fromkeys(players, tx)
    if missing := sorted(players.keys() ^ txs.keys()):
        raise ValueError(
            f"learner: got transformations for {sorted(txs)}, wanted one for each of {sorted(players)}; "
            f"mend {missing}"
        )

    if idle := sorted(name for name, player in players.items() if player.repeat < 1):
        raise ValueError(
            f"learner: got repeat < 1 for the players {idle}, wanted at least 1; leave them out"
        )

    @jax.jit
    def init(key, batch=None):
        first, second, third = jax.random.split(key, 3)
        params = initial(model, first)
        if batch is not None:
            params = model.prepare(params, third, batch)
        for name, player in players.items():
            if unknown := sorted(set(player.owns) - params.keys()):
                raise ValueError(
                    f"learner: player {name!r} owns {unknown}, wanted blocks among {sorted(params)}; "
                    "rename them"
                )
        opt = {n: txs[n].init({b: params[b] for b in p.owns}) for n, p in players.items()}
        return State(jnp.zeros((), jnp.int32), params, opt, model.carry(second))

    turns = [(name, player) for name, player in players.items() for _ in range(player.repeat)]

    def step(state, key, batch):
        params, opt, carry = dict(state.params), dict(state.opt), state.carry
        metrics: dict[str, Any] = {}
        for i, (name, player) in enumerate(turns):
            k = jax.random.fold_in(key, state.step * len(turns) + i)
            own = {block: params[block] for block in player.owns}

            def loss_of(own, others=params, carry=carry, k=k, loss=player.loss):
                return loss(others | own, carry, k, batch)

            (loss, (carry, seen)), grads = jax.value_and_grad(loss_of, has_aux=True)(own)
            at = opt[name] if player.repeat == 1 else scheduled_at(state.step, opt[name])
            updates, opt[name] = txs[name].update(grads, at, own)
            params |= optax.apply_updates(own, updates)
            metrics |= seen | {f"loss/{name}": loss}
        return State(state.step + 1, params, opt, carry), metrics

    return Learner(init, jax.jit(step, donate_argnums=0))


def scheduled_at(step, opt):
    """The optimizer's state, its schedules at this step: a player of several updates would run through them
    before the others are done, and stand still for the rest."""

    def here(leaf):
        return isinstance(leaf, optax.ScaleByScheduleState)

    def at(leaf):
        return leaf._replace(count=step.astype(leaf.count.dtype)) if here(leaf) else leaf

    return jax.tree.map(at, opt, is_leaf=here)
