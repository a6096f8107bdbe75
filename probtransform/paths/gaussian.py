"""The Gaussian paths of the field, one function each, exact at both ends.

Papers of diffusion run from data to noise, at times s; here s = 1 - t.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from .path import Path


def linear() -> Path:
    """The straight line `x_t = t x + (1 - t) z`. Lipman et al. (2022), arXiv:2210.02747."""
    return Path(lambda t: t, lambda t: 1 - t)


def trigonometric() -> Path:
    """`alpha = sin(pi t / 2)`, `sigma = cos(pi t / 2)`: a quarter of a circle.

    Albergo & Vanden-Eijnden (2022), arXiv:2209.15571.
    """
    return Path(lambda t: jnp.sin(math.pi / 2 * t), lambda t: jnp.sin(math.pi / 2 * (1 - t)))


def cosine(offset: float = 0.008) -> Path:
    """Variance-preserving, `alpha = cos(a) / cos(a_0)` with `a = pi/2 (1 - t + offset) / (1 + offset)`.

    `a_0` is a at t = 1, so that alpha ends at one. Nichol & Dhariwal (2021), arXiv:2102.09672.
    """
    above("cosine", offset=offset)
    scale = math.pi / 2 / (1 + offset)
    least = scale * offset

    def sigma(t):  # sqrt(1 - alpha^2) without the difference
        a = scale * (1 - t)
        return jnp.sqrt(jnp.sin(a) * jnp.sin(a + 2 * least)) / math.cos(least)

    return Path(lambda t: jnp.sin(scale * t) / math.cos(least), sigma)


def vp(low: float = 0.1, high: float = 20.0) -> Path:
    """Variance-preserving diffusion whose rate falls from `high` at the base to `low` at the data.

    `log alpha = -s^2 (high - low) / 4 - s low / 2`, `sigma^2 = 1 - alpha^2`.
    Ho et al. (2020), arXiv:2006.11239; Song et al. (2021), arXiv:2011.13456.
    """
    log_alpha = of_rates("vp", low, high)
    return Path(lambda t: jnp.exp(log_alpha(t)), lambda t: jnp.sqrt(-jnp.expm1(2 * log_alpha(t))))


def log_linear(low: float = -10.0, high: float = 10.0) -> Path:
    """Variance-preserving, its log-SNR straight from `low` at the base to `high` at the data.

    `alpha^2 = sigmoid(log-SNR)`, `sigma^2 = sigmoid(-log-SNR)`. Kingma et al. (2021), arXiv:2107.00630.
    """
    if not low < high:
        raise ValueError(f"log_linear: got low={low}, high={high}, wanted low < high; swap them")

    def log_snr(t):
        return low + (high - low) * t

    return Path(
        lambda t: jnp.sqrt(jax.nn.sigmoid(log_snr(t))),
        lambda t: jnp.sqrt(jax.nn.sigmoid(-log_snr(t))),
    )


def sub_vp(low: float = 0.1, high: float = 20.0) -> Path:
    """As `vp`, with the smaller `sigma = 1 - alpha^2`. Song et al. (2021), arXiv:2011.13456."""
    log_alpha = of_rates("sub_vp", low, high)
    return Path(lambda t: jnp.exp(log_alpha(t)), lambda t: -jnp.expm1(2 * log_alpha(t)))


def of_rates(who: str, low: float, high: float):
    between(who, low, high)
    return lambda t: -((1 - t) ** 2) * (high - low) / 4 - (1 - t) * low / 2


def ve(low: float = 0.01, high: float = 50.0) -> Path:
    """Variance-exploding: `alpha = 1`, `sigma = high (low / high)^t`, geometric from `high` to `low`.

    The base is `high z`, and what it hides of the data is left out; at t = 1 a noise of `low` is left.
    Song & Ermon (2019), arXiv:1907.05600; Song et al. (2021), arXiv:2011.13456.
    """
    between("ve", low, high)
    ratio = math.log(low / high)
    return Path(jnp.ones_like, lambda t: high * jnp.exp(ratio * t))


def edm(low: float = 0.002, high: float = 80.0, rho: float = 7.0) -> Path:
    """Variance-exploding, `sigma^(1/rho)` straight from `high` to `low`: equal steps of t are Karras' grid.

    Karras et al. (2022), arXiv:2206.00364.
    """
    between("edm", low, high)
    above("edm", rho=rho)
    first, last = high ** (1 / rho), low ** (1 / rho)
    return Path(jnp.ones_like, lambda t: (first * (1 - t) + last * t) ** rho)


def exploding(high: float = 80.0) -> Path:
    """Straight and variance-exploding: `x_t = x + high (1 - t) z`."""
    above("exploding", high=high)
    return Path(jnp.ones_like, lambda t: high * (1 - t))


def between(who: str, low: float, high: float) -> None:
    if not 0 < low < high:
        raise ValueError(f"{who}: got low={low}, high={high}, wanted 0 < low < high; swap them")


def above(who: str, **numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{who}: got {name}={number}, wanted more than 0; pass a larger one")
