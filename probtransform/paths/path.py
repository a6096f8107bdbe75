"""Gaussian paths between base and data, and their numbers on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Rates(NamedTuple):
    """A path at a time: `alpha, sigma` and their derivatives in t, scalars or arrays of one shape."""

    t: Any
    alpha: Any
    sigma: Any
    alpha_dot: Any
    sigma_dot: Any


class Path(NamedTuple):
    """`x_t = alpha(t) x + sigma(t) z` for data x and base `z ~ N(0, I)`; t = 0 is the base, t = 1 the data.

    `alpha / sigma` grows with t, all the way. Functions of `jax.numpy`, of a scalar or an array.
    """

    alpha: Callable[..., Any]
    sigma: Callable[..., Any]

    def point(self, x, z, t):
        """`x_t`, of the shape of x."""
        return self.alpha(t) * x + self.sigma(t) * z

    def velocity(self, x, z, t):
        """`dx_t/dt` with x and z held, of the shape of x."""
        return jax.jvp(lambda t: self.point(x, z, t), (t,), (jnp.ones_like(t),))[1]

    def log_snr(self, t):
        """`log(alpha^2 / sigma^2)`, infinite where one of them is zero."""
        return 2 * (jnp.log(self.alpha(t)) - jnp.log(self.sigma(t)))

    def rates(self, t) -> Rates:
        """alpha, sigma and their derivatives at t, where x_t is learned: inside a program."""
        t = jnp.asarray(t)

        def both(t):
            return self.alpha(t), self.sigma(t)

        values, slopes = jax.jvp(both, (t,), (jnp.ones_like(t),))
        return Rates(t, *values, *slopes)


def at(path: Path, t) -> Rates:
    """`path.rates` in double precision, as NumPy arrays: known before a program runs, whatever its precision.

    Raises ValueError for a time outside [0, 1].
    """
    times = np.asarray(t, np.float64)
    if not ((times >= 0) & (times <= 1)).all():
        raise ValueError(
            f"path: got times from {times.min():g} to {times.max():g}, wanted 0 (the base) to 1 (data); "
            "rescale them"
        )
    return Rates(times, *on_host(lambda t: path.rates(t)[1:], times))


def on_host(fn: Callable[..., Any], *arrays):
    """`fn` of arrays in double precision, now, even where a program is being traced."""
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        return jax.tree.map(np.asarray, fn(*(jnp.asarray(a, jnp.float64) for a in arrays)))


def time_of(path: Path, log_snr) -> np.ndarray:
    """The times in [0, 1] at which `path.log_snr` has these values, by halving; 0 or 1 beyond its ends."""
    wanted = np.asarray(log_snr, np.float64)

    first, last = on_host(path.log_snr, np.array([0.0, 1.0]))
    found = halved(path.log_snr, wanted, np.zeros_like(wanted), np.ones_like(wanted))
    return np.where(wanted <= first, 0.0, np.where(wanted >= last, 1.0, found))


def halved(rising: Callable[..., Any], wanted, low, high) -> np.ndarray:
    """The places between low and high at which a rising function takes the wanted values, by halving."""

    def search(wanted, low, high):
        for _ in range(60):
            middle = (low + high) / 2
            below = rising(middle) < wanted
            low, high = jnp.where(below, middle, low), jnp.where(below, high, middle)
        return (low + high) / 2

    return on_host(search, wanted, low, high)
