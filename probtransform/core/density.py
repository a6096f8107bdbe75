"""What may be claimed of a density: four claims in a diamond, and none at all.

            Density            a bound up to a constant
           /       \\
       Bound    Unnormalized   Bound: <= log p.   Unnormalized: = log p + const.
           \\       /
            Exact              = log p, in expectation over the key, up to solver error

`None` in the place of a claim says that there is no density to speak of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce, wraps
from typing import Any

import jax.numpy as jnp


@dataclass(frozen=True)
class Density:
    """A claim on log p(x): `fn(params, key, x, cond)`, for ONE example, in nats.

    In a `Distribution` the function returns the log-density, a scalar; in a `Transform` it is
    the way back and returns `(z, log_weight)`. This weakest claim says only that
    `E[fn] <= log p(x) + const`: enough to train something, too little to report.
    """

    fn: Callable[..., Any]


class Bound(Density):
    """`E_key[fn] <= log p(x)`: evidence bounds, dequantisation.

    Where the weights of a chain are ratios of densities, `E_key[exp fn] <= p(x)` too, and a mean over
    keys sharpens the bound; an estimated trace of an ODE gives the first inequality without the second.
    """


@dataclass(frozen=True)
class Unnormalized(Density):
    """`fn = log p(x) + const` with an unknown constant: energies.

    Calling it raises ValueError for an energy that is no scalar: the mean in a loss would hide that.
    """

    def __post_init__(self):
        if not isinstance(self, Exact):  # whose `fn` in a transform is the way back
            object.__setattr__(self, "fn", scalar(self.fn))


class Exact(Bound, Unnormalized):
    """`E_key[fn] = log p(x)`, up to solver error where a solver is involved."""


def scalar(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The same function of one example, if it gives one number."""

    @wraps(fn)
    def checked(params, key, x, cond=None):
        found = fn(params, key, x, cond)
        if jnp.shape(found) != ():
            raise ValueError(
                f"density: got an energy of shape {jnp.shape(found)} for one example, wanted a scalar; sum "
                "it, or take its only entry"
            )
        return found

    return checked


def join(*claims: type[Density]) -> type[Density]:
    """The strongest claim that a composition of these can still make.

    `join(Exact, Bound) is Bound`; `join(Bound, Unnormalized) is Density`.
    """

    def weaker(a: type[Density], b: type[Density]) -> type[Density]:
        return next(c for c in a.__mro__ if issubclass(b, c) and issubclass(c, Density))

    return reduce(weaker, claims)
