"""Matching: learn a field by regression on the path's own, which is known point by point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr

from ..core import Network
from ..paths import Path, view
from ..paths.views import known, row
from .times import Times
from .weights import Weight


def matching(
    network: Network,
    name: str,
    path: Path,
    predicts: str = "velocity",
    weight: Weight | None = None,
    coupling: Callable[..., Any] | None = None,
    times: Times | None = None,
    power: int = 1,
):
    """`E w |f(x_t, t) - target|^2 / d` with t uniform, z normal, for `x: f32[*event]`. A player's loss.

    The target is noise, data, v, score or velocity of the pair (x, z), and the minimiser its mean given x_t.
    Without a `weight` w = 1; with one, the error is that of the noise it implies, times `weight(rates)`,
    whatever is predicted. A `coupling` says which draw goes with which example of a batch, none that they
    are independent. `network` is that of the block `name`.

    `times(params, u)` makes times of uniform numbers u; the derivatives that a weight reads are then in u,
    and so `likelihood` means the same whatever the times. With `power = 2` the errors' second moment is
    returned, which times may be learned to make small, since their mean does not depend on them.

    Lipman et al. (2022), arXiv:2210.02747; Ho et al. (2020), arXiv:2006.11239; Salimans & Ho (2022),
    arXiv:2202.00512. Raises ValueError for another prediction.
    """
    known(predicts)

    def error(params, u, z, x, cond):
        t, pace = (
            (u, 1.0)
            if times is None
            else jax.jvp(partial(times, params), (u,), (jnp.ones_like(u),))
        )
        rates = path.rates(t)
        a, b = row(predicts, rates)
        target = a * x + b * z
        if predicts == "score":
            target = -z / rates.sigma
        away = network.apply(params[name], path.point(x, z, t), t, cond) - target
        return scale(rates, pace) * jnp.mean(away**2)

    def scale(rates, pace):
        if weight is None:
            return 1.0
        slopes = {"alpha_dot": pace * rates.alpha_dot, "sigma_dot": pace * rates.sigma_dot}
        return weight(rates._replace(**slopes)) * view(rates, predicts, "noise")[1] ** 2

    def loss(params, carry, key, batch):
        draw, pair = jax.random.split(key)
        u, z = jax.vmap(drawn)(jax.random.split(draw, len(batch.x)), batch.x)
        if coupling is not None:
            z = z[coupling(pair, z, batch.x, batch.cond)]
        errors = jax.vmap(error, (None, 0, 0, 0, 0))(params, u, z, batch.x, batch.cond)
        mean = jnp.mean(errors**power)
        return mean, (carry, {"matching": mean})

    return loss


def drawn(key, x):
    """A uniform number and a normal z like x: one stream costs a third of two."""
    normals = jax.random.normal(key, (x.size + 1,))
    return ndtr(normals[0]), normals[1:].reshape(x.shape)
