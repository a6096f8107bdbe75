"""The algebra: a distribution is something to sample, a transform carries one to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar, overload

import jax

from .check import disjoint
from .density import Bound, Density, Exact, Unnormalized, join

Key = jax.Array
Params = Any  # a pytree
Example = Any  # a pytree, one example
Cond = Any  # a pytree, None where there is none
Weight = Any  # a scalar, nats

D = TypeVar("D", bound="Density | None", covariant=True)


class Distribution(NamedTuple, Generic[D]):
    """Something to sample, with or without a claim on its density. Every function takes ONE example.

    init:    `key -> {block name: params}`.
    sample:  `(params, key, cond) -> x`.
    density: `None`, or a claim whose `fn(params, key, x, cond)` is a scalar in nats.
    joint:   `None`, or `(params, key, cond) -> (x, log_density)` where that costs less than
             `sample` and then `density`; read through `sample_and_log_density`.
    stages:  `None`, or `(params, key, cond, z=None) -> (z, ..., x)`: the draw that `sample` makes of this
             key, from its base, or from `z` in its place, through every step; read through `sample_stages`.
    back:    `None`, or `(params, key, x, cond) -> z`: where in the base x came from, or may have come from;
             read through `encode`.
    """

    init: Callable[[Key], Params]
    sample: Callable[[Params, Key, Cond], Example]
    density: D
    joint: Callable[[Params, Key, Cond], tuple[Example, Weight]] | None = None
    stages: Callable[[Params, Key, Cond, Example], tuple[Example, ...]] | None = None
    back: Callable[[Params, Key, Example, Cond], Example] | None = None


class Transform(NamedTuple, Generic[D]):
    """A Markov kernel `z -> x` that may know a way back. Every function takes ONE example.

    init:    `key -> params` of its own block.
    forward: `(params, key, z, cond) -> x`; a deterministic map ignores the key.
    inverse: `None`, or a claim whose `fn(params, key, x, cond)` is `(z, log_weight)` with
             `log p(x) >= E[log p(z) + log_weight]`: minus the log-determinant of the forward
             map for a bijection, `log p(x|z) - log q(z|x)` for a stochastic decoder with an
             encoder, the log-volume of a cell for rounding (Nielsen et al. (2020), arXiv:2007.02731).
    joint:   `None`, or `(params, key, z, cond) -> (x, log_weight)`, the same weight met on the
             way forward, for bijections whose inverse is slow or would lose precision.
    """

    init: Callable[[Key], Params]
    forward: Callable[[Params, Key, Example, Cond], Example]
    inverse: D
    joint: Callable[[Params, Key, Example, Cond], tuple[Example, Weight]] | None = None


@overload
def pushforward(base: Distribution[Exact], **steps: Transform[Exact]) -> Distribution[Exact]: ...
@overload
def pushforward(base: Distribution[Bound], **steps: Transform[Bound]) -> Distribution[Bound]: ...
@overload
def pushforward(
    base: Distribution[Unnormalized], **steps: Transform[Unnormalized]
) -> Distribution[Unnormalized]: ...
@overload
def pushforward(
    base: Distribution[Density], **steps: Transform[Density]
) -> Distribution[Density]: ...
@overload
def pushforward(
    base: Distribution[Density | None], **steps: Transform[Density | None]
) -> Distribution[Density | None]: ...
def pushforward(base, **steps):
    """The distribution of `step_n(... step_1(z))` for `z ~ base`: the one composition.

    Parameters are a dict with one block a step, beside the base's own; block names are
    checkpoint keys. Weights add along the chain, `log p(x) = log p(z) + sum of log_weight`,
    and the claim is the join of the parts' claims (`None` if one has none).

    Example: `pushforward(normal((2,)), c0=coupling(...), c1=coupling(...))` samples `f32[2]`.
    Raises ValueError if two blocks share a name.
    """
    names = tuple(steps)

    def keys(key):
        first, *rest = jax.random.split(key, len(names) + 1)
        return first, dict(zip(names, rest, strict=True))

    def init(key):
        first, rest = keys(key)
        own = {name: steps[name].init(rest[name]) for name in names}
        return disjoint("pushforward", base.init(first), own)

    def stages(params, key, cond=None, z=None):
        first, rest = keys(key)
        seen = stages_of(base)(params, first, cond, z)
        for name in names:
            seen = (*seen, steps[name].forward(params[name], rest[name], seen[-1], cond))
        return seen

    def sample(params, key, cond=None):
        return stages(params, key, cond)[-1]

    if any(step.inverse is None for step in steps.values()):
        return Distribution(init, sample, None, stages=stages)

    def undone(params, rest, x, cond):
        weights = 0.0
        for name in reversed(names):
            x, weight = steps[name].inverse.fn(params[name], rest[name], x, cond)
            weights = weights + weight
        return x, weights

    def all_the_way(params, key, x, cond=None):
        first, rest = keys(key)
        z, _ = undone(params, rest, x, cond)
        return back_of(base)(params, first, z, cond)

    back = all_the_way if knows_a_way_back(base) else None
    if base.density is None:
        return Distribution(init, sample, None, stages=stages, back=back)

    def log_density(params, key, x, cond=None):
        first, rest = keys(key)
        z, weights = undone(params, rest, x, cond)
        return base.density.fn(params, first, z, cond) + weights

    claim = join(type(base.density), *(type(step.inverse) for step in steps.values()))
    if claim is not Exact:
        return Distribution(init, sample, claim(log_density), stages=stages, back=back)

    def joint(params, key, cond=None):
        first, rest = keys(key)
        x, total = joint_of(base)(params, first, cond)
        for name in names:
            x, weight = carried(steps[name])(params[name], rest[name], x, cond)
            total = total + weight
        return x, total

    return Distribution(init, sample, Exact(log_density), joint, stages, back)


def joint_of(distribution: Distribution[Any]) -> Callable[..., Any]:
    """`(params, key, cond) -> (x, log_density)`: the distribution's own, else sample, then density.

    A bound must meet its sample afresh: reusing the latent that made `x` would turn the bound
    into one from above, which is why only exact chains carry their weights forward.
    """
    if distribution.joint is not None:
        return distribution.joint

    def joint(params, key, cond=None):
        draw, look = jax.random.split(key)
        x = distribution.sample(params, draw, cond)
        return x, distribution.density.fn(params, look, x, cond)

    return joint


def stages_of(distribution: Distribution[Any]) -> Callable[..., tuple[Example, ...]]:
    """`(params, key, cond, z) -> (z, ..., x)`: the distribution's own, else its sample alone."""
    if distribution.stages is not None:
        return distribution.stages

    def alone(params, key, cond=None, z=None):
        return (distribution.sample(params, key, cond) if z is None else z,)

    return alone


def back_of(distribution: Distribution[Any]) -> Callable[..., Any]:
    """`(params, key, x, cond) -> z`: the distribution's own; of one without steps, x itself."""
    return distribution.back or (lambda params, key, x, cond=None: x)


def knows_a_way_back(distribution: Distribution[Any]) -> bool:
    return distribution.back is not None or distribution.stages is None


def carried(step: Transform[Any]) -> Callable[..., Any]:
    """`(params, key, z, cond) -> (x, log_weight)` of an exact step, through its inverse if need be."""
    if step.joint is not None:
        return step.joint

    def joint(params, key, z, cond=None):
        x = step.forward(params, key, z, cond)
        return x, step.inverse.fn(params, key, x, cond)[1]

    return joint
