"""The one loop: fused steps, and between them everything that must see the host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..core import Batch, Model
from ..core.model import as_they_are
from .checkpoint import Checkpoints, spent
from .feed import Feed, resident, streamed
from .learner import Learner, State, learner
from .sharding import divided, everywhere, held

Watcher = Callable[[int, State, dict[str, float]], None]


class Fitted(NamedTuple):
    """state: the last one.  history: a dict of metrics for every stretch of steps.
    seconds: spent in all, before an interruption too.
    memory: bytes that the device needs for a stretch of steps: data, state and scratch; None if unknown.
    finished: False if `stop` ended it before the last step."""

    state: State
    history: list[dict[str, float]]
    seconds: float
    memory: int | None
    finished: bool


# what runs once need not be fast: on a CPU a third less to wait
HASTY = {"xla_backend_optimization_level": 0}


def fit(
    model: Model,
    tx: optax.GradientTransformation | dict,
    data: Batch | Any,
    *,
    steps: int,
    batch: int = 128,
    seed: int = 0,
    seeds: int = 1,
    fuse: int = 100,
    checkpoints: Checkpoints | None = None,
    every: int = 1000,
    watch: Iterable[Watcher] = (),
    until: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    devices: Sequence[Any] | None = None,
) -> Fitted:
    """Train a model for `steps` steps, `fuse` of them in one program between looks from the host.

    data:        a `Batch` of arrays that fits on the device, or an iterator of `Batch`es with
                 `get_state` and `set_state` (a Grain iterator), which then decides the batch size.
    seeds:       train this many runs at once, seeds `seed, seed + 1, ...`, in one vmapped program; the
                 state gets a leading axis and metrics their mean and standard error (`<name>/se`).
    checkpoints: resume from the newest, save every `every` steps and at the end.
    watch:       called as `(step, state, metrics)` after every stretch.
    until:       the reading of `time.monotonic` at which to save and return; stretches get shorter
                 towards it, and the first is short, so that it is met to a step or so.
    stop:        asked after every stretch; True saves and returns.
    devices:     divide the seeds among these if that leaves as many for each, or else every batch;
                 `jax.devices()` for all; one if None.

    The trajectory depends on the seed alone: neither `fuse` nor an end before the last step changes one
    bit of it, and devices only the order of sums.
    Raises FloatingPointError when a loss is not finite, naming player, step and last good checkpoint, and
    ValueError for a number too small or a batch that its devices cannot share alike.
    """
    least_of = {"steps": (steps, 0), "seeds": (seeds, 1), "fuse": (fuse, 1), "every": (every, 1)}
    for name, (number, least) in least_of.items():
        if number < least:
            raise ValueError(
                f"fit: got {name}={number}, wanted at least {least}; pass a larger one"
            )
    began, memory = time.monotonic(), None
    numbers = [seed + i for i in range(seeds)]
    if devices is not None and isinstance(data, Batch):
        data = jax.device_put(data, everywhere(devices))
    feed = resident(data, batch, numbers) if isinstance(data, Batch) else streamed(data, numbers)
    learn = learner(model, tx)
    keys = jnp.stack([jax.random.key(n) for n in numbers]) if seeds > 1 else jax.random.key(seed)
    split = jax.vmap(jax.random.split, out_axes=1) if seeds > 1 else jax.random.split
    first, rest = split(keys)
    init = jax.vmap(learn.init, (0, None)) if seeds > 1 else learn.init
    if checkpoints is not None and (kept := checkpoints.restore(jax.eval_shape(init, first, None))):
        state, about = kept
        feed.seek(about["data"])
        began, memory = began - spent(about), about.get("memory")
    else:
        once = jax.jit(init, compiler_options=HASTY if jax.default_backend() == "cpu" else None)
        state = once(first, None if model.prepare is as_they_are else feed.sample())
    if devices is not None:
        feed = divided(feed, devices, seeds)
        state = jax.device_put(state, held(devices, seeds))
    advance: Any = None

    def save():
        if checkpoints is not None:
            if not jax.tree.all(jax.tree.map(lambda p: bool(jnp.isfinite(p).all()), state.params)):
                raise FloatingPointError(
                    f"fit: the parameters are not finite at step {done}; the last good checkpoint is "
                    f"{checkpoints.latest()}; lower the learning rate"
                )
            about = {"data": feed.position(), "seconds": time.monotonic() - began}
            checkpoints.save(state, about | {"memory": memory})

    done, history, stopped = int(np.ravel(state.step)[0]), [], False
    pace = None  # seconds a step
    while done < steps and not stopped:
        count = min(fuse, steps - done, every - done % every)
        if until is not None:
            count = min(count, affordable(until - time.monotonic(), pace))
        source = feed.read(done, count, fuse)
        if advance is None:
            advance = fused(learn, feed, rest, fuse).lower(state, source, count).compile()
            memory = bytes_of(advance)
        start = time.monotonic()
        state, metrics = advance(state, source, count)
        metrics = {name: np.asarray(m)[:count] for name, m in metrics.items()}
        refuse_non_finite(metrics, done, checkpoints)
        pace = (time.monotonic() - start) / count
        done += count
        history.append(summary(metrics, done, seeds))
        for look in watch:
            look(done, state, history[-1])
        if done % every == 0:
            save()
        stopped = stop() or (until is not None and time.monotonic() > until)
    save()
    return Fitted(state, history, time.monotonic() - began, memory, done >= steps)


def affordable(left: float, pace: float | None, trial: int = 5) -> int:
    """How many steps fit into the seconds left, one at least; a few to find out what a step takes."""
    return trial if pace is None else max(1, min(int(left / pace), 2**31 - 1))


def fused(learn: Learner, feed: Feed, keys, room: int):
    """`(state, source, count) -> (state, metrics [room, ...])`: `count <= room` steps in one program.

    The number of steps is an argument, not a shape: one compilation serves every stretch.
    """
    step = jax.vmap(learn.step) if keys.ndim else learn.step

    def run(state, source, count):
        shapes = jax.eval_shape(step, state, keys, feed.pick(source, 0))[1]
        log = jax.tree.map(lambda m: jnp.zeros((room, *m.shape), m.dtype), shapes)

        def body(i, state_log):
            state, log = state_log
            state, metrics = step(state, keys, feed.pick(source, i))
            return state, jax.tree.map(lambda row, m: row.at[i].set(m), log, metrics)

        return jax.lax.fori_loop(0, count, body, (state, log))

    return jax.jit(run, donate_argnums=0)


def bytes_of(program) -> int | None:
    """What a compiled program holds at once on its device, results in place of arguments counted once."""
    sizes = program.memory_analysis()
    if sizes is None:
        return None
    results = sizes.output_size_in_bytes - sizes.alias_size_in_bytes
    return int(sizes.argument_size_in_bytes + results + sizes.temp_size_in_bytes)


def summary(metrics: dict, step: int, seeds: int) -> dict[str, float]:
    """Means over a stretch of steps; with several seeds, their mean and its standard error."""
    row: dict[str, float] = {"step": step}
    for name, values in metrics.items():
        each = values.mean(0)
        row[name] = float(each.mean())
        if seeds > 1:
            row[f"{name}/se"] = float(each.std(ddof=1) / np.sqrt(seeds))
    return row


def refuse_non_finite(metrics: dict, done: int, checkpoints: Checkpoints | None) -> None:
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(1))
        if name.startswith("loss/") and bad.size:
            last = checkpoints.latest() if checkpoints is not None else None
            step = done + int(bad[0]) + 1
            todo = "lower the learning rate or clip harder"
            if step == 1:  # nothing was learned yet
                todo = "look for data that the model cannot hold, such as labels or levels out of range"
            raise FloatingPointError(
                f"fit: the loss of player {name[5:]!r} is not finite at step {step}; the last good "
                f"checkpoint is {'step ' + str(last) if last is not None else 'none'}; {todo}"
            )
