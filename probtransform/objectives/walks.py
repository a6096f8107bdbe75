"""What the one formulation walks along, and who explains it: conditional laws, origins, claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm

from ..core import Bound, Distribution, Network, Transform
from ..distributions.observation import Observation
from .unified import Walk


def not_drawn(*inputs):
    raise ValueError(
        "kernel: got a law that is only asked, wanted one to draw from; give it a `draw`"
    )


def not_told(*inputs):
    raise ValueError(
        "kernel: got a law that is only sampled, wanted one with a density to tell back what was drawn; give "
        "it a `log_prob`, such as that of `normal_about`"
    )


class Kernel(NamedTuple):
    """A law of b given a, for ONE example: a generator, an encoder, a decoder, a head that infers.

    draw:     `(params, key, a, cond) -> b`.
    log_prob: `(params, b, a, cond) -> log p(b|a)`, nats.

    Either may be missing; asking for it raises ValueError.
    """

    draw: Callable[..., Any] = not_drawn
    log_prob: Callable[..., Any] = not_told


# b = a
stay = Kernel(lambda params, key, a, cond: a)


def of_network(network: Network, name: str) -> Kernel:
    """`b = network(a)`, of block `name`, without noise."""
    return Kernel(lambda params, key, a, cond: network.apply(params[name], a, cond))


def normal_about(mean: Kernel, scale: float) -> Kernel:
    """What is drawn is `mean`'s own draw; what is told is `N(mean, scale^2)` of each entry.

    Raises ValueError unless the scale is above zero.
    """
    if not 0 < scale < math.inf:
        raise ValueError(
            f"normal_about: got a scale of {scale}, wanted a finite number > 0; pass 1"
        )

    def log_prob(params, b, a, cond):
        return norm.logpdf(b, mean.draw(params, None, a, cond), scale).sum()

    return Kernel(mean.draw, log_prob)


def observed_by(network: Network, name: str, observation: Observation) -> Kernel:
    """`b ~ observation(network(a))`, of block `name`."""

    def draw(params, key, a, cond):
        return observation.sample(network.apply(params[name], a, cond), key)

    def log_prob(params, b, a, cond):
        return observation.log_prob(network.apply(params[name], a, cond), b)

    return Kernel(draw, log_prob)


def of_decoder(step: Transform[Any], name: str) -> tuple[Kernel, Kernel]:
    """Both directions of a `transforms.decoder` of block `name`: who generates, and who infers."""

    def generate(params, key, z, cond):
        return step.forward(params[name], key, z, cond)

    def log_likelihood(params, x, z, cond):
        return step.inverse.log_likelihood(params[name], z, x, cond)

    def infer(params, key, x, cond):
        mean, log_scale = step.inverse.posterior(params[name], x, cond)
        return mean + jnp.exp(log_scale) * jax.random.normal(key, mean.shape)

    def log_posterior(params, z, x, cond):
        mean, log_scale = step.inverse.posterior(params[name], x, cond)
        return norm.logpdf(z, mean, jnp.exp(log_scale)).sum()

    return Kernel(generate, log_likelihood), Kernel(infer, log_posterior)


# --- walks: (params, key, x, cond) -> Walk, for an example x of the data -----------------------------


def from_data(params, key, x, cond):
    """Start at the data."""
    return x


def drawn(distribution: Distribution):
    """Start at a draw of a distribution."""
    return lambda params, key, x, cond: distribution.sample(params, key, cond)


def walk(origin: Callable[..., Any], along: Kernel = stay):
    """From an origin along a kernel; without one, a walk that ends where it starts."""

    def made(params, key, x, cond):
        first, second = jax.random.split(key)
        start = origin(params, first, x, cond)
        return Walk(start, along.draw(params, second, start, cond), cond)

    return made


def held(origin: Callable[..., Any]):
    """The same origin, held fixed."""
    return lambda *inputs: jax.lax.stop_gradient(origin(*inputs))


def joint(made: Callable[..., Any], turned: bool = False):
    """The walk whose end is all of another: `f32[end] + f32[start]`, or start first if `turned`."""

    def pair(params, key, x, cond):
        start, end, cond = made(params, key, x, cond)
        return Walk(None, jnp.concatenate([start, end] if turned else [end, start]), cond)

    return pair


# --- who explains: (params, key, walk) -> nats, and the logit of a walk ------------------------------


def told_by(kernel: Kernel):
    """`log back(start|end)`."""
    return lambda params, key, walk: kernel.log_prob(params, walk.start, walk.end, walk.cond)


def evidence(latent: Distribution[Bound], generate: Kernel, infer: Kernel):
    """`log p(x|z) + log p(z) - log q(z|x)` of a walk from x to z: what a VAE tells back."""

    def nats(params, key, walk):
        x, z, cond = walk
        told = generate.log_prob(params, x, z, cond) + latent.density.fn(params, key, z, cond)
        return told - infer.log_prob(params, z, x, cond)

    return nats


def claimed(distribution: Distribution[Bound]):
    """The claim on log p(end): any bound, which walks from x to a code and tells x back by itself."""
    return lambda params, key, walk: distribution.density.fn(params, key, walk.end, walk.cond)


def at_end(critic: Network, name: str = "critic"):
    """The logit `critic(end)`, of block `name`."""
    return lambda params, walk: critic.apply(params[name], walk.end, walk.cond)
