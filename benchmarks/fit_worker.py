"""Flow matching as `training.fit` runs it, 100 steps a program: run by `benchmarks.torchcfm_steps`.

    NPROC=THREADS python -m benchmarks.fit_worker

Reads a number of steps a line, trains so many, answers with wall-clock and CPU seconds. Moons lie in memory.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.scipy.special import ndtr

from probtransform.core import Batch, Model, Player, each, from_nnx, pushforward, reading
from probtransform.data import load
from probtransform.distributions import normal
from probtransform.paths import linear
from probtransform.training import learner
from probtransform.training.feed import resident
from probtransform.training.fit import fused
from probtransform.transforms import flow

from .timing import clocked

BATCH, SIGMA, FUSE = 256, 0.1, 100


def tutorial() -> Model:
    """The tutorial's model: flow matching with noise of deviation sigma about the straight line."""

    def body(rngs):
        sizes = [(3, 64), (64, 64), (64, 64)]
        layers = [part for a, b in sizes for part in (nnx.Linear(a, b, rngs=rngs), jax.nn.selu)]
        return nnx.Sequential(*layers, nnx.Linear(64, 2, rngs=rngs))

    velocity = reading(from_nnx(body), lambda x, t, cond: jnp.append(x, t))
    path = linear()

    def error(params, key, x, cond):
        normals = jax.random.normal(key, (5,))
        t, z, blur = ndtr(normals[0]), normals[1:3], normals[3:]
        point = path.point(x, z, t) + SIGMA * blur
        v = velocity.apply(params["velocity"], point, t, cond)
        return jnp.mean((v - path.velocity(x, z, t)) ** 2)

    def loss(params, carry, key, batch):
        return jnp.mean(each(error, params, key, batch)), (carry, {})

    distribution = pushforward(normal((2,)), velocity=flow(velocity))
    return Model(distribution, {"velocity": Player(("velocity",), loss)})


def main() -> None:
    data = Batch(3 * load("moons").train.x - 1)
    key, feed = jax.random.key(0), resident(data, BATCH, [0])
    learn = learner(tutorial(), optax.adam(1e-3))
    advance = fused(learn, feed, key, FUSE)
    state, loss = learn.init(key, feed.sample()), 0.0

    def run(steps):
        nonlocal state, loss
        for _ in range(steps // FUSE):
            done = int(state.step)
            state, metrics = advance(state, feed.read(done, FUSE, FUSE), FUSE)
            loss = float(np.asarray(metrics["loss/velocity"]).mean())
        return state

    print(jax.__version__, flush=True)
    for line in sys.stdin:
        print(*clocked(lambda steps=int(line): run(steps)), loss, flush=True)


if __name__ == "__main__":
    main()
