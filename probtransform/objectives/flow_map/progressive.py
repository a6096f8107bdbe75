"""Progressive distillation: a student's step is two of its teacher's, round after round."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...core import Network
from ...core.check import positive
from ...paths import Path, as_flow_map
from ...paths.flow_map import jump
from ..matching import drawn
from .metric import squared
from .teacher import Teacher


def progressive(
    network: Network,
    name: str,
    path: Path,
    predicts: str = "velocity",
    steps: int = 64,
    every: int = 1000,
    teacher: str = "teacher",
):
    """`E |F(x_s, s, t) - target|^2 / d`, with the target that jumps as two steps of the teacher do.

    From s to t is one of N equal steps: N = `steps / 2` in the first round, half of that in the next, down to
    one; a round has `every` updates, the last goes on. `X(x_s, s, t) = p x_s + q F` tells F from
    `X' = X(X(x_s, s, m), m, t)` of the teacher, m in the middle. The teacher is the block `teacher` in the
    first round, then what the student was when its round ended. `carry` is `teacher_of(network)`. The network
    may not ask for t, as that of the paper: `paths.straight`. Start it at the teacher.

    Salimans & Ho (2022), arXiv:2202.00512. A player's loss.
    Raises ValueError unless `steps` is a power of two above 1.
    """
    positive("progressive", every=every)
    rounds = steps.bit_length() - 1
    if steps != 2**rounds or rounds < 1:
        raise ValueError(
            f"progressive: got steps={steps}, wanted a power of two above 1: every round halves them; pass 64"
        )
    jumps = as_flow_map(network, path, predicts)

    def error(params, master, count, u, z, x, cond):
        s = jnp.floor(u * count) / count
        middle, t = s + 0.5 / count, s + 1 / count
        here = path.point(x, z, s)
        there = jumps.apply(master, jumps.apply(master, here, s, middle, cond), middle, t, cond)
        p, q = jump(path, predicts, s, t)
        target = jax.lax.stop_gradient((there - p * here) / q)
        return squared(network.apply(params, here, s, t, cond) - target)

    def loss(params, carry, key, batch):
        done = jnp.minimum(carry.count // every, rounds - 1)
        fresh = (carry.count % every == 0) & (carry.count // every < rounds)
        master = jax.tree.map(
            lambda first, student, kept: jnp.where(
                fresh, jnp.where(done == 0, first, student), kept
            ),
            params[teacher],
            jax.lax.stop_gradient(params[name]),
            carry.params,
        )
        u, z = jax.vmap(drawn)(jax.random.split(key, len(batch.x)), batch.x)
        count = steps / 2.0 ** (done + 1)
        errors = jax.vmap(error, (None, None, None, 0, 0, 0, 0))(
            params[name], master, count, u, z, batch.x, batch.cond
        )
        mean = jnp.mean(errors)
        return mean, (Teacher(carry.count + 1, master), {"progressive": mean})

    return loss
