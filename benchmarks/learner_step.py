"""What the one step for all models costs against a step written by hand for one.

    python -m benchmarks.learner_step        (about two minutes)

A VAE on digits and flow matching on moons, each at its preset size, with the recipe's optimiser. By hand
means batched formulas, `jit`, `value_and_grad`, optax and donation; networks, loss and batches are the same.
Both are called step by step from Python. Bar: a ratio of at most 1.05.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import optax

from probtransform.core import Batch, Event
from probtransform.data import load
from probtransform.families import registry
from probtransform.networks import mlp
from probtransform.training import Recipe, learner, optimizer

from .timing import Row, interleaved, over, publish, show

BAR = 1.05


def vae_by_hand(latent: int = 16, width: int = 256, levels: int = 17, d: int = 64):
    """`(init, loss)` of the digits VAE: a discretised logistic, one sample of the evidence bound, in nats."""
    decode, encode = mlp(latent, 2 * d, width), mlp(d, 2 * latent, width, quiet=True)

    def init(key):
        first, second = jax.random.split(key)
        return {"decoder": decode.init(first), "encoder": encode.init(second)}

    def loss(params, key, x):
        x = x.reshape(len(x), d)
        scaled = 2 * (x + 0.5) / levels - 1
        mean, log_scale = jnp.split(encode.apply(params["encoder"], scaled), 2, -1)
        log_scale = jnp.clip(log_scale, -7.0, 3.0)
        noise = jax.random.normal(key, mean.shape)
        z = mean + jnp.exp(log_scale) * noise
        kl = ((z**2 - noise**2) / 2 - log_scale).sum(-1)
        mean, log_scale = jnp.split(decode.apply(params["decoder"], z), 2, -1)
        scale = jnp.exp(jnp.clip(log_scale, -5.0, 3.0)) * levels / 8
        below = (x - (mean + 1) * levels / 2) / scale
        above = below + 1 / scale
        first, last = jax.nn.log_sigmoid(above), jax.nn.log_sigmoid(-below)
        middle = first + last + jnp.log(-jnp.expm1(-1 / scale))
        log_p = jnp.where(x == 0, first, jnp.where(x == levels - 1, last, middle))
        return jnp.mean(kl - log_p.sum(-1))

    return init, loss


def flow_matching_by_hand(d: int = 2, width: int = 256, depth: int = 3, frequencies: int = 8):
    """`(init, loss)` of flow matching along straight lines."""
    network = mlp(d + 1 + 2 * frequencies, d, width, depth, quiet=True)

    def loss(params, key, x):
        time, noise = jax.random.split(key)
        t, z = jax.random.uniform(time, (len(x), 1)), jax.random.normal(noise, x.shape)
        angles = jnp.pi * t * jnp.arange(1, frequencies + 1)
        point = t * x + (1 - t) * z
        v = network.apply(params, jnp.concatenate([point, t, jnp.sin(angles), jnp.cos(angles)], -1))
        return jnp.mean((v - (x - z)) ** 2)

    return network.init, loss


def step_by_hand(loss: Callable, tx) -> Callable:
    @partial(jax.jit, donate_argnums=0)
    def step(state, key, x):
        count, params, opt = state
        value, grads = jax.value_and_grad(loss)(params, jax.random.fold_in(key, count), x)
        updates, opt = tx.update(grads, opt, params)
        return (count + 1, optax.apply_updates(params, updates), opt), value

    return step


def running(step: Callable, state, batches: list, read: Callable) -> tuple[Callable, list]:
    """A run of one step for each batch, and the losses that it saw last."""
    box, seen, key = [state], [], jax.random.key(1)

    def run():
        state, values = box[0], []
        for batch in batches:
            state, value = step(state, key, batch)
            values.append(value)
        box[0], seen[:] = state, [float(read(jax.block_until_ready(values[-1])))]
        return state

    return run, seen


def measure(name: str, event: Event, data: Batch, by_hand, steps: int, rounds: int = 31) -> Row:
    family = registry[name]
    preset = family.preset(event)
    recipe = Recipe(**{k: preset[k] for k in preset.keys() & Recipe.__dataclass_fields__.keys()})
    tx = optimizer(recipe)
    order = jax.random.permutation(
        jax.random.key(0), jnp.arange(steps * recipe.batch) % len(data.x)
    )
    xs = [jnp.asarray(data.x)[rows] for rows in order.reshape(steps, recipe.batch)]
    model = family.build(event)
    ours = learner(model, tx)
    init, loss = by_hand
    params = jax.jit(init)(jax.random.key(0))
    (player,) = model.players
    ours_run, ours_loss = running(
        ours.step,
        ours.init(jax.random.key(0), Batch(xs[0])),
        [Batch(x) for x in xs],
        lambda metrics: metrics[f"loss/{player}"],
    )
    hand_run, hand_loss = running(
        step_by_hand(loss, tx),
        (jnp.zeros((), jnp.int32), params, jax.jit(tx.init)(params)),
        xs,
        float,
    )
    times = interleaved({"by hand": hand_run, "learner": ours_run}, "by hand", rounds)
    detail = {
        "times": times,
        "steps": steps,
        "losses": ours_loss + hand_loss,
        "batch": recipe.batch,
    }
    each = " and ".join(f"{1e3 * times[way].wall / steps:.3f}" for way in ("learner", "by hand"))
    print(f"  {each} ms a step, losses {ours_loss[0]:.3f} and {hand_loss[0]:.3f}")
    return show(over(f"{name}, a step of learner / by hand", times["learner"], BAR, detail))


def main() -> None:
    digits, moons = load("digits"), load("moons")
    publish(
        "learner_step",
        [
            measure("vae", digits.event, digits.train, vae_by_hand(), steps=50),
            measure("flow_matching", moons.event, moons.train, flow_matching_by_hand(), steps=100),
        ],
    )


if __name__ == "__main__":
    main()
