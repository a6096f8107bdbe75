"""Consistency: along one trajectory, every point is sent to the same end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ...core import Network
from ...integrate import runge_kutta
from ...paths import Path, as_flow_map
from ..matching import drawn
from ..times import Times
from .metric import Metric, pseudo_huber


def consistency(
    network: Network,
    name: str,
    path: Path,
    predicts: str = "velocity",
    steps: Callable[..., Any] | int = 64,
    metric: Metric | None = None,
    times: Times | None = None,
    teacher: Callable[..., Any] | None = None,
):
    """`N E metric(X(x_s, s, 1) - X(x_t, t, 1))`, the second held fixed, t next to s. A player's loss.

    `s = u, t = u + 1/N` for u uniform in [0, 1 - 1/N], or `times` of them. Both points have the same data
    and noise (consistency training), which tells their flow on average only, and the better the larger N;
    or x_t is one Runge-Kutta step of the velocity `teacher(params, x, s, cond)` away from x_s (consistency
    distillation). N is `steps`, or that of the number of updates so far, which `carry` counts from zero:
    `doubling(...)`. No average of the network is kept; at t = 1 the map is exact, and all truth comes from
    there. The metric is `pseudo_huber()` if left out.

    Song et al. (2023), arXiv:2303.01469; Song & Dhariwal (2023), arXiv:2310.14189.
    """
    ends, metric = as_flow_map(network, path, predicts), metric or pseudo_huber()

    def error(params, s, t, z, x, cond):
        def end(x, s):
            return ends.apply(params[name], x, s, jnp.ones_like(s), cond)

        here = path.point(x, z, s)
        if teacher is None:
            there = path.point(x, z, t)
        else:
            there = runge_kutta(lambda x, t: teacher(params, x, t, cond), here, s, t, 1)
        return metric(end(here, s) - jax.lax.stop_gradient(end(there, t)))

    def loss(params, carry, key, batch):
        gap = 1 / (steps(carry) if callable(steps) else steps)
        u, z = jax.vmap(drawn)(jax.random.split(key, len(batch.x)), batch.x)
        s = u * (1 - gap)
        t = s + gap
        if times is not None:
            s, t = times(params, s), times(params, t)
        errors = jax.vmap(error, (None, 0, 0, 0, 0, 0))(params, s, t, z, batch.x, batch.cond)
        mean = jnp.mean(errors) / gap
        carry = carry + 1 if callable(steps) else carry
        return mean, (carry, {"consistency": mean})

    return loss


def doubling(first: int, last: int, every: int) -> Callable[..., Any]:
    """`count -> min(first 2^(count // every), last)`: coarse and sure at first, then fine.

    Song & Dhariwal (2023), arXiv:2310.14189. Raises ValueError unless `1 < first <= last` and `every > 0`.
    """
    if not (1 < first <= last and every > 0):
        raise ValueError(
            f"doubling: got first={first}, last={last}, every={every}, wanted 1 < first <= last and "
            "every > 0; 10, 1280 and an eighth of all updates are usual"
        )
    return lambda count: jnp.minimum(first * 2.0 ** (count // every), last)
