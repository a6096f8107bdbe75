"""What users ask of a distribution: samples and log-densities, one or many."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from .condition import Asked, listening, refuse_unknown
from .density import Density
from .distribution import Distribution, back_of, joint_of, knows_a_way_back, stages_of


def sample(distribution: Distribution[Any], params, key, cond=None):
    """ONE draw: `x: [*event]`."""
    return distribution.sample(params, key, cond)


def log_density(distribution: Distribution[Density], params, key, x, cond=None):
    """The claim on log p(x) of ONE example, in nats; its kind is `type(distribution.density)`.

    Raises ValueError if the distribution makes no claim.
    """
    return claimed(distribution).density.fn(params, key, x, cond)


def sample_and_log_density(distribution: Distribution[Density], params, key, cond=None):
    """ONE draw and its log-density, `(x, scalar)`, never through a slow inverse where there is a way around.

    Raises ValueError if the distribution makes no claim.
    """
    return joint_of(claimed(distribution))(params, key, cond)


def sample_stages(distribution: Distribution[Any], params, key, cond=None, z=None):
    """The ONE draw that `sample` makes of this key, with all it was on the way: `(z, ..., x)`.

    A base point and everywhere its steps carry it, one entry a step: the picture of a model as a
    probability transformation. Given `z`, that base point is carried instead of the key's own; the
    key still serves the steps that are stochastic.
    """
    return stages_of(distribution)(params, key, cond, z)


def encode(distribution: Distribution[Any], params, key, x, cond=None):
    """A base point that is carried to x: `z: [*base event]` of ONE example, what `sample_stages` takes.

    The one there is, of a chain of bijections; a draw where a step is a rounding or a stochastic decoder.
    Raises ValueError if a step knows no way back.
    """
    if not knows_a_way_back(distribution):
        raise ValueError(
            "encode: got a distribution one of whose steps has no inverse, wanted a way back through all; a "
            "sampler's is that of the probability flow over the same block"
        )
    return back_of(distribution)(params, key, x, cond)


def interpolate(distribution: Distribution[Any], params, key, ends, weights, cond=None):
    """The examples between two, through the base: `[len(weights), *event]` for `ends = (x, y)`.

    Both are encoded, and from z to w the base is crossed on the arc that keeps the length of normal draws,
    `(sin((1 - s) a) z + sin(s a) w) / sin(a)` with a the angle between them; s = 0 is x, s = 1 is y. One key
    serves all, so that what is drawn on the way does not jump. The base is one array of reals.

    Shoemake (1985), SIGGRAPH; White (2016), arXiv:1609.04468.
    """
    z, w = (encode(distribution, params, key, x, cond) for x in ends)
    cosine = jnp.vdot(z, w) / (jnp.linalg.norm(z) * jnp.linalg.norm(w))
    angle = jnp.arccos(jnp.clip(cosine, -1 + 1e-6, 1 - 1e-6))

    def at(s):
        between = (jnp.sin((1 - s) * angle) * z + jnp.sin(s * angle) * w) / jnp.sin(angle)
        return sample_stages(distribution, params, key, cond, between)[-1]

    return jax.vmap(at)(jnp.asarray(weights, z.dtype))


def sample_many(distribution: Distribution[Any], params, key, count: int, cond=None, chunk=1000):
    """`count` draws `[count, *event]`, `chunk` at a time so that memory stays bounded.

    `cond` is None or a pytree with a leading axis of `count`. The draws do not depend on `chunk`.
    Raises ValueError if `count` or `chunk` is less than one, or `cond` has another length or a label that
    is none of the model's.
    """
    return in_chunks(distribution.sample, count, chunk, params, key, (cond,))


def log_density_many(distribution: Distribution[Density], params, key, xs, cond=None, chunk=1000):
    """The claim on log p of each of `xs: [count, *event]`, `chunk` at a time: `[count]`, in nats.

    Raises ValueError as `log_density` and `sample_many` do.
    """
    fn = claimed(distribution).density.fn
    return in_chunks(fn, len(jax.tree.leaves(xs)[0]), chunk, params, key, (xs, cond))


def claimed(distribution: Distribution[Any]) -> Distribution[Density]:
    if distribution.density is None:
        raise ValueError(
            "log_density: got a distribution without a density, wanted one that claims Exact, Bound or "
            "Unnormalized; a step without an inverse can only be sampled"
        )
    return distribution


def in_chunks(fn, count: int, chunk: int, params, key, inputs):
    """`fn(params, key, *inputs)` over the leading axis of `inputs`, `chunk` examples at a time.

    Keys are folded in from the example's index, so that no result depends on `chunk` or `count`. The last of
    `inputs` is the condition: a label in it that `fn` does not know raises ValueError, unless an outer jit
    hides it.
    """
    asked, out = mapped(fn, count, chunk, params, key, inputs)
    if asked:  # the largest, as a model may read labels of its own beside these
        refuse_unknown(inputs[-1], max(asked))
    return out


@partial(jax.jit, static_argnums=(0, 1, 2))
def mapped(fn, count: int, chunk: int, params, key, inputs):
    """`(Asked, out)` of `in_chunks`, one program."""
    for name, number in (("count", count), ("chunk", chunk)):
        if number < 1:
            raise ValueError(
                f"{name}: got {number}, wanted at least 1; ask for one example or more"
            )
    for leaf in jax.tree.leaves(inputs):
        if jnp.shape(leaf)[:1] != (count,):
            raise ValueError(
                f"cond: got shape {jnp.shape(leaf)}, wanted a leading axis of {count}, one entry an "
                "example; repeat or cut it"
            )
    # chunks of one size, the last filled up, so that one program serves them all
    size = -(-count // -(-count // chunk))
    padding = -count % size
    rows = jnp.arange(count + padding)
    filled = jax.tree.map(lambda leaf: jnp.asarray(leaf)[jnp.minimum(rows, count - 1)], inputs)
    keys = jax.vmap(partial(jax.random.fold_in, key))(rows)

    def one(at):
        return fn(params, at[0], *at[1])

    with listening() as asked:
        out = jax.lax.map(one, (keys, filled), batch_size=size)
    return Asked(asked), jax.tree.map(lambda leaf: leaf[:count], out)
