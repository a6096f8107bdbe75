"""Guidance: operators on a field, from a network to a network of the same view.

Every view is an affine function of the score given x_t, so that a sum of fields with weights that add up to
one means the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Network
from ..paths import Path, Rates, view


def classifier_free(network: Network, scale: float, low: float = 0.0, high: float = 1.0) -> Network:
    """`f(absent) + scale (f(cond) - f(absent))` while `low <= t <= high`, `f(cond)` at other times.

    `cond` is a `Maybe`, as the network was trained with: scale 0 forgets it, 1 is the network as it is, more
    exaggerates. Two calls. Ho & Salimans (2022), arXiv:2207.12598; the interval: Kynkäänniemi et al. (2024),
    arXiv:2404.07724.
    """

    def apply(params, x, t, cond):
        there = network.apply(params, x, t, cond)
        nowhere = network.apply(params, x, t, cond._replace(present=jnp.zeros_like(cond.present)))
        return nowhere + jnp.where((low <= t) & (t <= high), scale, 1.0) * (there - nowhere)

    return Network(network.init, apply)


def autoguided(network: Network, weak: Network, scale: float) -> Network:
    """`g + scale (f - g)`, g a worse model of the same data: away from its mistakes. Parameters `(f's, g's)`.

    Karras et al. (2024), arXiv:2406.02507.
    """

    def init(key):
        first, second = jax.random.split(key)
        return network.init(first), weak.init(second)

    def apply(params, x, t, cond=None):
        good, bad = network.apply(params[0], x, t, cond), weak.apply(params[1], x, t, cond)
        return bad + scale * (good - bad)

    return Network(init, apply)


def rescaled(guided: Network, network: Network, share: float = 0.7) -> Network:
    """The guided output, in part brought to the standard deviation over the event that the plain one has.

    `share sd(f) / sd(g) g + (1 - share) g`: a large scale of guidance no longer overexposes images.
    Lin et al. (2023), arXiv:2305.08891. Raises ValueError unless 0 <= share <= 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"rescaled: got share={share}, wanted 0 (as it is) to 1; choose between")

    def apply(params, x, t, cond=None):
        output = guided.apply(params, x, t, cond)
        plain = jnp.std(network.apply(params, x, t, cond))
        return output * (share * plain / jnp.std(output) + 1 - share)

    return Network(guided.init, apply)


Likelihood = Callable[[Any, Rates], Any]


def given(
    network: Network, path: Path, predicts: str, log_likelihood: Likelihood, scale: float = 1.0
) -> Network:
    """The field of `p(x | y)`: the score plus `scale grad log p(y | x_t)`.

    `log_likelihood(D, rates)` is `log p(y | x_t)` up to a constant, as a function of the data prediction D at
    x_t; its gradient passes through the network. For a classifier of noisy examples, see `classified`.
    Not known where alpha = 0, where x_t says nothing of y: begin a little later.
    """

    def of_noisy(params, x, t, cond):
        rates = path.rates(t)
        p, q = view(rates, predicts, "data")
        return log_likelihood(p * x + q * network.apply(params, x, t, cond), rates)

    return classified(network, path, predicts, of_noisy, scale)


def classified(
    network: Network, path: Path, predicts: str, log_prob: Callable[..., Any], scale: float = 1.0
) -> Network:
    """The score plus `scale grad log_prob(params, x_t, t, cond)`, a classifier's.

    Dhariwal & Nichol (2021), arXiv:2105.05233.
    """

    def apply(params, x, t, cond=None):
        rates = path.rates(t)
        pull = scale * jax.grad(log_prob, 1)(params, x, t, cond)
        return network.apply(params, x, t, cond) - view(rates, "noise", predicts)[1] * (
            rates.sigma * pull
        )

    return Network(network.init, apply)


def dps(measure: Callable[..., Any], y, noise: float) -> Likelihood:
    """`-|y - measure(D)|^2 / (2 noise^2)`: as if x were D. Chung et al. (2023), arXiv:2209.14687."""
    return pigdm(measure, y, noise, lambda rates: 0.0)


def pigdm(
    measure: Callable[..., Any], y, noise: float, spread: Callable[[Rates], Any]
) -> Likelihood:
    """As if `measure(x)` were normal about `measure(D)`, with variance `spread(rates)` in each number.

    For inpainting `measure` picks the known numbers. Exact for normal data, `measure` a choice of
    dimensions, and their variance given x_t, `spread = s^2 sigma^2 / (alpha^2 s^2 + sigma^2)`, which with
    s = 1 is what is usually taken. Song et al. (2023), "Pseudoinverse-Guided Diffusion Models".
    """
    if not noise >= 0:
        raise ValueError(f"pigdm: got noise={noise}, wanted 0 or more, the deviation of y")

    def log_likelihood(data, rates):
        variance = noise**2 + jax.lax.stop_gradient(spread(rates))
        return -jnp.sum((y - measure(data)) ** 2 / (2 * variance))

    return log_likelihood
