"""Score matching: five ways to one score, each `E |s - grad log p|^2 / 2d` up to a constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Network, Unnormalized, each
from ..core.check import above_zero, positive


def score_of(distribution: Distribution[Unnormalized], name: str) -> Network:
    """The score `grad_x log p` of a density known up to a constant, a network like any other.

    `name` is the only block that the distribution has: that of an energy on a normal, for example. Its
    density is one that asks for no key. Raises ValueError for another number of blocks.
    """
    blocks = sorted(jax.eval_shape(distribution.init, jax.random.key(0)))
    if blocks != [name]:
        raise ValueError(
            f"score_of: got a distribution with the blocks {blocks}, wanted {name!r} alone; carry the data "
            "back to where its base has no parameters"
        )

    def apply(params, x, cond=None):
        return jax.grad(lambda x: distribution.density.fn({name: params}, None, x, cond))(x)

    return Network(lambda key: distribution.init(key)[name], apply)


def score_matching(network: Network, name: str, probes: int | None = None):
    """`E[tr ds/dx + |s|^2 / 2] / d`, which is `E |s - grad log p|^2 / 2d` up to a constant. A player's loss.

    `network.apply(params[name], x, cond)` is the score s, of the shape of x. The trace is exact, d products
    with the Jacobian an example (implicit score matching), or with `probes` the mean of `v . (ds/dx) v` over
    random signs v (sliced score matching), unbiased. What is far from data is not seen: where there is little
    of it, `denoising_score_matching` or `matching(..., "score")`, of a noisy path, learn more.

    Hyvärinen (2005), JMLR 6; Song et al. (2019), arXiv:1905.07088. Raises ValueError without a probe.
    """
    if probes is not None and probes < 1:
        raise ValueError(
            f"score_matching: got probes={probes}, wanted at least 1, or None for the exact trace"
        )

    def directions(key, x):
        if probes is None:
            return jnp.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
        return jax.random.rademacher(key, (probes, *x.shape), x.dtype) / probes**0.5

    def error(params, key, x, cond):
        score, along = jax.linearize(lambda x: network.apply(params[name], x, cond), x)
        v = directions(key, x)
        return (jnp.sum(v * jax.vmap(along)(v)) + jnp.sum(score**2) / 2) / x.size

    return averaged_over(error)


def explicit_score_matching(network: Network, name: str, score: Callable[..., Any]):
    """`E |s(x) - score(x, cond)|^2 / 2d`, where the data's own score is known: the Fisher divergence itself.

    Hyvärinen (2005), JMLR 6.
    """

    def error(params, key, x, cond):
        away = network.apply(params[name], x, cond) - score(x, cond)
        return jnp.mean(away**2) / 2

    return averaged_over(error)


def denoising_score_matching(network: Network, name: str, noise: float):
    """`E[s(y) . e / noise + |s(y)|^2 / 2] / d` at `y = x + noise e`, e normal: the score of blurred data.

    It is `E |s(y) + e / noise|^2 / 2d` less what no parameter moves. Each e comes with its opposite, which
    takes away the part of the variance that grows as noise shrinks and leaves `2 |ds/dx|^2 / d^2`: so noise
    may be a hundredth of the data's scale, and should be where the score bends, as blur moves it by about
    `noise^2 |ds/dx|` of its own size. No derivative is asked for besides s.

    Vincent (2011), Neural Computation 23; Song & Kingma (2021), arXiv:2101.03288 (its variance).
    Raises ValueError unless there is noise.
    """
    above_zero("denoising_score_matching", noise=noise)

    def error(params, key, x, cond):
        e = jax.random.normal(key, x.shape, x.dtype)

        def of(e):
            s = network.apply(params[name], x + noise * e, cond)
            return jnp.mean(s * e / noise + s**2 / 2)

        return (of(e) + of(-e)) / 2

    return averaged_over(error)


def finite_difference_score_matching(
    distribution: Distribution[Unnormalized], distance: float, probes: int = 1
):
    """`E[g(x + v) + g(x - v) - 2 g(x) + (g(x + v) - g(x - v))^2 / 8] / (distance^2 d)` with `g = log f`.

    Sliced score matching from values alone, v random signs times `distance`: three densities stand for the
    derivatives, up to O(distance^2). Below 0.01 of the data's scale their differences lose single precision.

    Pang et al. (2020), arXiv:2007.03317. Raises ValueError unless there is a distance and a probe.
    """
    above_zero("finite_difference_score_matching", distance=distance)
    positive("finite_difference_score_matching", probes=probes)

    def error(params, key, x, cond):
        own, around = jax.random.split(key)

        def g(x):
            return distribution.density.fn(params, own, x, cond)

        def along(v):
            up, down = g(x + v), g(x - v)
            return (up - here) + (down - here) + (up - down) ** 2 / 8

        here = g(x)
        signs = jax.random.rademacher(around, (probes, *x.shape), x.dtype)
        return jnp.mean(jax.vmap(along)(distance * signs)) / (distance**2 * x.size)

    return averaged_over(error)


def averaged_over(error):
    """The loss of a player: the mean of `error(params, key, x, cond)` over a batch."""

    def loss(params, carry, key, batch):
        mean = jnp.mean(each(error, params, key, batch))
        return mean, (carry, {"score_matching": mean})

    return loss
