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
from functools import reduce
from typing import Any


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


class Unnormalized(Density):
    """`fn = log p(x) + const` with an unknown constant: energies."""


class Exact(Bound, Unnormalized):
    """`E_key[fn] = log p(x)`, up to solver error where a solver is involved."""


def join(*claims: type[Density]) -> type[Density]:
    """The strongest claim that a composition of these can still make.

    `join(Exact, Bound) is Bound`; `join(Bound, Unnormalized) is Density`.
    """

    def weaker(a: type[Density], b: type[Density]) -> type[Density]:
        return next(c for c in a.__mro__ if issubclass(b, c) and issubclass(c, Density))

    return reduce(weaker, claims)
