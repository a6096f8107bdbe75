"""Adaptive integration of ordinary differential equations: diffrax behind the one signature of a solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

ADJOINTS = {
    "checkpointed": "RecursiveCheckpointAdjoint",
    "direct": "DirectAdjoint",
    "backsolve": "BacksolveAdjoint",
}


def adaptive(
    rtol: float = 1e-5, atol: float = 1e-5, adjoint: str = "checkpointed", most: int = 4096
) -> Callable[..., Any]:
    """`solve(derivative, x, start, end) -> x(end)` by Dormand and Prince's pair of orders 5 and 4.

    Steps are chosen so that the error of each is at most `atol + rtol |x|`. The adjoint says how
    gradients come: "checkpointed" (exact for the steps taken, some states kept), "direct" (forward mode
    too, memory of all `most` steps), or "backsolve" (another equation run backwards, no states kept, exact
    up to its own error). Beyond `most` steps the result is NaN, never a wrong number.

    Example: `adaptive(1e-6, 1e-6)(lambda x, t: -x, jnp.ones(2), 0.0, 1.0)` is `exp(-1)` twice.
    Kidger (2021), arXiv:2202.02435. Raises ValueError for another adjoint.
    """
    if adjoint not in ADJOINTS:
        raise ValueError(f"adaptive: got adjoint {adjoint!r}, wanted one of {', '.join(ADJOINTS)}")

    def solve(derivative, x, start: float, end: float):
        import diffrax  # imports much that nothing else needs

        # what the derivative closes over, as arguments: only they get a gradient from a backward solve
        pure, held = jax.closure_convert(derivative, x, jnp.asarray(float(start)))
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, x, held: pure(x, t, *held)),
            diffrax.Dopri5(),
            start,
            end,
            None,
            x,
            args=tuple(held),
            stepsize_controller=diffrax.PIDController(rtol, atol),
            adjoint=getattr(diffrax, ADJOINTS[adjoint])(),
            max_steps=most,
            throw=False,
        )
        reached = solution.result == diffrax.RESULTS.successful
        return jax.tree.map(lambda leaf: jnp.where(reached, leaf[-1], jnp.nan), solution.ys)

    return solve
